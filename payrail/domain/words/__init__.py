"""What actors say to each other, a room for each topic; `payrail.domain.messages` joins them."""
