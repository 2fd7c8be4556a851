"""A good order of a merchant, and how it is sent to the front door."""

TOKEN = "tok_" + "0" * 32
PI = "pi_" + "a" * 16
GOOD = {"amount": 1099, "currency": "USD", "payment_method": TOKEN}


def with_field(**fields):
    return {**GOOD, **fields}


async def create(door, body=None, raw=None, **headers):
    headers.setdefault("Idempotency_Key", "k1")
    return await door.ask("POST", "/payment-intents", body, raw=raw, **headers)
