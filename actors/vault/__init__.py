"""The vault: tokens, encryption, and who may use a card and why."""
