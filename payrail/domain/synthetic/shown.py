"""A made-up payment as people and machines may see it: a line of its plan.

Never: shows more of a card than brand, BIN and last four digits.
"""

from typing import Any

from payrail.domain.synthetic.follows import Follow
from payrail.domain.synthetic.scenes import SeededPayment
from payrail.domain.synthetic.wallet import SyntheticCard


def shown_card(card: SyntheticCard) -> dict[str, Any]:
    """What of a card may be seen, and its id."""
    return {
        "id": card.id,
        "brand": card.brand,
        "bin": card.bin,
        "last4": card.last4,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "country": card.country,
        "funding": card.funding,
    }


def shown_payment(one: SeededPayment) -> dict[str, Any]:
    """Who pays what and when, how it is played, and what follows."""
    return {
        "key": one.key,
        "day": one.day,
        "at_ms": one.at_ms,
        "pattern": one.pattern,
        "scene": one.scene.name,
        "ends": one.scene.ends,
        "provider": one.scene.provider,
        "merchant_id": one.merchant_id,
        "customer": one.customer.id,
        "ip": one.customer.ip,
        "device": one.device or None,
        "card": shown_card(one.card),
        "amount": one.amount_minor,
        "currency": one.currency,
        "decline_code": one.decline_code,
        "later": [_follow(order) for order in one.later],
    }


def _follow(order: Follow) -> dict[str, Any]:
    """An order without the fields that say nothing about its verb."""
    said = {"percent": order.percent, "nth": order.nth, "detail": order.detail}
    usual: dict[str, Any] = {"percent": 100, "nth": 1, "detail": ""}
    told = {name: value for name, value in said.items() if value != usual[name]}
    stage = {"stage": order.stage} if order.stage else {}
    return {"day": order.day, "verb": order.verb, **told, **stage}
