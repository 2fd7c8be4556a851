"""The made-up world of a seed, as it is shown without paying anything.

Never: shows more of a card than brand, BIN and last four digits.
"""

from typing import Any

from payrail.domain.synthetic import SmallWorld, SyntheticCard, seed_plan, world


def as_world(seed: int, payments: int) -> dict[str, Any]:
    """The world and the plan of a seed for people and machines, without a card number."""
    from dataclasses import asdict

    made_up = world(seed)
    return {
        "seed": seed,
        "merchants": [asdict(one) for one in made_up.merchants],
        "customers": [asdict(one) for one in made_up.customers],
        "cards": _cards(made_up),
        "payments": [
            {
                "key": one.key,
                "scene": one.scene.name,
                "ends": one.scene.ends,
                "provider": one.scene.provider,
                "merchant_id": one.merchant_id,
                "customer": one.customer.id,
                "card": _card(one.card),
                "amount": one.amount_minor,
                "currency": one.currency,
                "decline_code": one.decline_code,
            }
            for one in seed_plan(seed, payments)
        ],
    }


def _cards(made_up: SmallWorld) -> list[dict[str, Any]]:
    return [_card(card) for card in made_up.cards]


def _card(card: SyntheticCard) -> dict[str, Any]:
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
