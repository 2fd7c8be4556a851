"""What brings doubt into a schedule: drills of providers, storms, and who is called first.

    wishes ──▶ routing ──▶ drills: of the provider that is called first, of what the wishes will do

A drill is a trouble that begins early and waits for a call. What it does is told by `how`:
`operation do count`, and `unfenced` where an ask does not keep a slow charge from being done.
Never: a call of money that hangs for ever; nobody would learn what became of it.
"""

from collections.abc import Sequence
from random import Random

from actors.simulation.schedule import Trouble, Wish, chance, is_stormy
from payrail.domain.words.kinds import PROVIDERS

DRILL = "provider drill"
#: How often a drill is of the provider that is called first, and how often there is one of what a
#: wish does after its charge.
FIRST_SHARE, LATER_SHARE = 0.8, 0.75
#: The effects of a schedule among which its drills begin: before most calls are made.
DRILLED_MAX = 150
#: Drills of one schedule beside its troubles.
DRILLS_MAX = 4
#: Calls that a provider refuses in a storm: its breaker opens.
STORM_COUNT = 8
#: Who is called first: by the text of routing.toml that people save as a schedule begins.
A_FIRST, B_FIRST, TURNS = "", "B first", "in turns"
_ROUTINGS = (*(A_FIRST,) * 5, *(B_FIRST,) * 2, TURNS)
ROUTING_TEXTS = {
    B_FIRST: 'order = ["providerB", "providerA"]\n',
    TURNS: '[[rules]]\nname = "in-turns"\nmerchant = ["m_002"]\n'
    'order = ["providerB", "providerA"]\n',
}
AUTHORIZE, CAPTURE, REFUND, REVERSE = "authorize", "capture", "refund", "reverse"
ANY_CALL, STATUS = "*", "status"

#: What flows ask of a provider once a charge is approved; one that is not here: a capture.
LATER = {
    "cancels": (REVERSE,),
    "expires": (REVERSE,),
    "first part": (CAPTURE, REVERSE),
    "refunds": (CAPTURE, REFUND),
    "refunded twice": (CAPTURE, REFUND),
    "sent back": (CAPTURE, REFUND),
    "refund and dispute": (CAPTURE, REFUND),
    **dict.fromkeys(("declines", "twins", "tries", "reads", "new key", "pays out"), ()),
}
_CHARGED = (*(AUTHORIZE,) * 4, *(ANY_CALL,) * 3)
#: Answers that leave open what became of a call, and refusals after which another may be tried.
_UNTOLD = (
    *("approve_then_hang",) * 5,
    *("reset", "garbage", "http:500", "http:502", "http:504"),
    *("slow:3000", "slow:6000"),
)
_REFUSED = ("down", "error")
#: Longer than a call is waited for, and than the first ask takes: it is done behind our back.
_LATE = ("slow:7000", "slow:9000", "slow:30000")
#: What keeps an ask from being answered. `hang` is for asks alone.
_ASKS = ("hang", "down", "error", "reset", "garbage", "http:500", "http:502", "http:504")
_COUNTS = (1, 1, 1, 2, 2, 3, 4, 6)


def doubts(seed: int, wishes: Sequence[Wish], number: int) -> tuple[str, tuple[Trouble, ...]]:
    """(who is called first, the drills) of a seed, whose first drill has this number. Each drill
    has chances of its own."""
    routing = chance(seed, "routing").choice(_ROUTINGS)
    own, later = chance(seed, "drills"), _later(wishes)
    found = [_drill(chance(seed, "drill", at)) for at in range(own.randint(0, DRILLS_MAX))]
    if later and own.random() < LATER_SHARE:
        found.append(_of_later(chance(seed, "drill", "later"), later))
    drills = [
        _begun(chance(seed, "drilled", at), number + at, routing, how)
        for at, how in enumerate(found)
    ]
    if is_stormy(seed):
        drills.append(_storm(chance(seed, "storm"), number + len(found), routing))
    return routing, tuple(drills)


def _begun(own: Random, number: int, routing: str, how: str) -> Trouble:
    """A drill, of whoever will surely be called more often than of the other."""
    first, other = _in_order(routing)
    is_first = own.random() < (0.5 if routing == TURNS else FIRST_SHARE)
    return Trouble(number, DRILL, first if is_first else other, own.randint(1, DRILLED_MAX), 0, how)


def _storm(own: Random, number: int, routing: str) -> Trouble:
    how = f"{own.choice(_CHARGED)} {own.choice(_REFUSED)} {STORM_COUNT}"
    return Trouble(number, DRILL, _in_order(routing)[0], own.randint(1, 40), 0, how)


def _in_order(routing: str) -> Sequence[str]:
    return PROVIDERS[::-1] if routing == B_FIRST else PROVIDERS


def _later(wishes: Sequence[Wish]) -> list[str]:
    """What the wishes will ask for once they hold money, the rarer as often as the common."""
    return sorted({one for wish in wishes for one in LATER.get(wish.flow, (CAPTURE,))})


def _drill(own: Random) -> str:
    kind = own.random()
    if kind < 0.5:
        return f"{own.choice(_CHARGED)} {own.choice(_UNTOLD)} {own.choice(_COUNTS)}"
    if kind < 0.72:
        return f"{own.choice(_CHARGED)} {own.choice(_REFUSED)} {own.choice(_COUNTS)}"
    if kind < 0.87:
        return f"{AUTHORIZE} {own.choice(_LATE)} {own.choice((1, 2, 3))} unfenced"
    return f"{STATUS} {own.choice(_ASKS)} {own.choice(_COUNTS)}"


def _of_later(own: Random, later: Sequence[str]) -> str:
    rare = [one for one in later if one != CAPTURE] or list(later)
    operation = own.choice(rare if own.random() < 0.75 else later)
    return f"{operation} {own.choice((*_UNTOLD, *_REFUSED))} {own.choice((1, 1, 2, 3))}"
