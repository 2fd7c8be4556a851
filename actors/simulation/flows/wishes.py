"""Flows of developers who ask for what is to go wrong: by a header, by a holder's name."""

import json
from collections.abc import Mapping

from actors.simulation.shops import Shop, Steps
from payrail.domain.fault_wishes import HEADER

#: Every one of them comes to an end without anybody's help.
_FAULTS = (
    *("down", "http:502", "garbage", "reset", "approve_then_hang", "slow:2000"),
    *("decline:lost_card", "duplicate_webhook", "late_webhook:60", "early_webhook"),
)
#: A capture of a wrong amount is done, which is a yes to another amount than was asked for.
_OF_A_CHARGE = (*_FAULTS, "wrong_amount")
_NAMES = ("APPROVED", "DECLINED", "PENDING", "ERROR")


def asks_for_faults(shop: Shop) -> Steps[None]:
    """A charge and its capture, each with a fault of its own."""
    token = yield from shop.card()
    made = yield from shop.created(token)
    path, choice = f"/payment-intents/{made['id']}", shop.wish.choice
    for verb, faults in (("authorize", _OF_A_CHARGE), ("capture", _FAULTS)):
        headers = _fault(faults[choice % len(faults)])
        told = yield from shop.order(verb, f"{path}/{verb}", also=(402,), headers=headers)
        if "code" in told:
            return  # refused, as was asked for


def is_called_so(shop: Shop) -> Steps[None]:
    """A holder whose name decides at the second provider, since the first one is down for it."""
    token = yield from shop.card(name=_NAMES[shop.wish.choice % len(_NAMES)])
    made = yield from shop.created(token)
    path = f"/payment-intents/{made['id']}/authorize"
    headers = _fault("down", provider="providerA")
    yield from shop.order("authorize", path, also=(402,), headers=headers)


def _fault(do: str, **more: str) -> Mapping[str, str]:
    return {HEADER: json.dumps({"do": do, **more})}
