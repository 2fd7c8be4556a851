"""The gateway: payments, idempotency, routing, money. The one actor that decides about them."""
