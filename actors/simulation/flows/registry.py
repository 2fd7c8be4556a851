"""Every flow that a simulated shop can want, in one table. A new flow joins HERE:

1. write a generator that takes a `Shop` and yields from its parts (order, look, ends, card, …), in
   the room of its kind beside this one;
2. give it a row in `FLOWS`: how often it is drawn, how many requests it makes at least, and how
   many payments.

Then every seed of the simulator may draw it, with every fault. A flow ends early by `Ended` (a
decline, a refusal in doubt), and fails the run by `Strange`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from actors.simulation.flows import (
    claims,
    forgers,
    house,
    misusers,
    payments,
    people,
    races,
    rotations,
    strangers,
    tokens,
    wishes,
)
from actors.simulation.schedule import Weight
from actors.simulation.shops import Shop, Steps


@dataclass(frozen=True, slots=True)
class Flow(Weight):
    """One row. `play` is what is done."""

    play: Callable[[Shop], Steps[None]] = payments.captures


FLOWS: dict[str, Flow] = {
    "captures": Flow(16, 4, 1, payments.captures),
    "at once": Flow(8, 2, 1, payments.at_once),
    "parts": Flow(8, 5, 1, payments.parts),
    "first part": Flow(5, 5, 1, payments.first_part),
    "cancels": Flow(8, 4, 1, payments.cancels),
    "expires": Flow(1, 4, 1, payments.expires),
    "declines": Flow(6, 3, 1, payments.declines),
    "confirms": Flow(8, 4, 1, payments.confirms),
    "twins": Flow(6, 4, 1, payments.twins),
    "tries": Flow(4, 4, 1, payments.tries),
    "reads": Flow(5, 6, 0, payments.reads),
    "shows": Flow(4, 8, 1, payments.shows),
    "refunds": Flow(12, 6, 1, claims.refunds),
    "refunded twice": Flow(5, 8, 1, claims.refunded_twice),
    "sent back": Flow(2, 7, 1, claims.sent_back),
    "disputes": Flow(8, 7, 1, claims.disputes),
    "charged back": Flow(2, 7, 1, claims.charged_back),
    "refund and dispute": Flow(2, 6, 1, claims.refund_and_dispute),
    "disputed at B": Flow(1, 8, 1, claims.disputed_at_b),
    "pays out": Flow(3, 8, 1, house.pays_out),
    "settles": Flow(4, 2, 0, house.settles),
    "sold and paid": Flow(2, 8, 1, house.sold_and_paid),
    "days pass": Flow(1, 6, 1, house.days_pass),
    "listens": Flow(8, 5, 1, house.listens),
    "new key": Flow(4, 7, 0, house.new_key),
    "saves rules": Flow(4, 4, 1, house.saves_rules),
    "comes and goes": Flow(2, 5, 0, people.comes_and_goes),
    "opens a shop": Flow(1, 9, 0, people.opens_a_shop),
    "writes by hand": Flow(2, 4, 1, people.writes_by_hand),
    "mends breaks": Flow(4, 12, 1, people.mends_breaks),
    "closes cases": Flow(2, 10, 1, people.closes_cases),
    "rotates": Flow(4, 6, 1, rotations.rotates),
    "deletes": Flow(5, 9, 2, tokens.deletes),
    "used twice": Flow(4, 5, 2, tokens.used_twice),
    "asks for faults": Flow(6, 4, 1, wishes.asks_for_faults),
    "is called so": Flow(3, 3, 1, wishes.is_called_so),
    "races": Flow(14, 5, 1, races.races),
    # Beside the shops: nobody of these may get anything.
    "another's": Flow(4, 10, 1, strangers.asks_for_anothers, beside=True),
    "another's key": Flow(2, 8, 2, strangers.uses_anothers, beside=True),
    "forges": Flow(4, 7, 1, forgers.forges, beside=True),
    "repeats": Flow(4, 8, 1, forgers.repeats, beside=True),
    "misuses": Flow(4, 9, 1, misusers.misuses, beside=True),
    "approves alone": Flow(3, 10, 1, misusers.approves_alone, beside=True),
    "wrong door": Flow(1, 8, 1, misusers.comes_in_by_the_wrong_door, beside=True),
}
