"""When in a month the fifty scenes are played, and what becomes of each afterwards.

With all of a month's days played, payments, refunds and disputes are left in every state in which
they can stand. What lasts for minutes only is therefore played on the last day. Of the scenes of a
kind, every other one from the first has a card whose end is certain: what must happen happens
there.
"""

from collections import Counter
from dataclasses import replace
from functools import lru_cache

from payrail.domain.synthetic import follows
from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.follows import Follow
from payrail.domain.synthetic.lives import (
    accepted,
    answered,
    disputed,
    judged,
    placed,
    refund,
    ruled,
)
from payrail.domain.synthetic.scenes import SCENES_COUNT, SeededPayment, seed_plan
from payrail.domain.synthetic.shops import moment_ms, shop_of

_WON, _LOST = "winning_evidence", "losing_evidence"
#: Instead of a share of the days: the last, and the one before, which is paid out on the last.
_LAST, _EVE = 100, -2


def _drill(day: int, operation: str, do: str) -> Follow:
    return Follow(day, follows.DRILL, detail=f"{operation} {do}")


_TWO_REFUNDS = (
    *(refund(1, 40), judged(2, follows.REJECT)),
    *(refund(3, 30, 2), judged(4, nth=2)),
)
_HUNG = (refund(-2, 50), _drill(-1, "refund", "hang"), judged(-1))
_FAILED = (refund(1), _drill(2, "refund", "decline:expired_card"), judged(2))
_INQUIRY = (disputed(2, "unrecognized", "inquiry"), *answered(3, _WON), ruled(5, "won"))
_LOST_CASE = (disputed(2, "fraudulent"), *answered(4, _LOST), ruled(8, "lost"))
_WON_CASE = (disputed(2, "fraudulent"), *answered(3, _WON), ruled(5, "won"))

# By scene: for each one of its kind the share of the days that are over, and what follows.
_STAGED: dict[str, tuple[tuple[int, tuple[Follow, ...]], ...]] = {
    "created": ((20, ()), (_LAST, ())),
    "canceled_at_once": ((10, ()), (62, ())),
    "held": (
        *((5, ()), (50, (Follow(2, follows.CANCEL),))),
        (32, (Follow(3, follows.CAPTURE),)),
    ),
    "held_at_b": ((_LAST, ()), (40, ())),
    "held_in_one_call": ((_LAST, ()), (25, (Follow(1, follows.CAPTURE, 50),))),
    "captured": (
        *((3, (refund(1), judged(2))), (45, ()), (10, _TWO_REFUNDS), (70, ())),
        (_LAST, (refund(0, 20),)),
    ),
    "captured_at_b": ((6, _WON_CASE), (55, ()), (12, _LOST_CASE), (_LAST, ())),
    "captured_in_one_call": (
        *((8, _INQUIRY), (65, ()), (15, (refund(1, 60),))),
        (80, (disputed(3, "duplicate"), accepted(5))),
    ),
    "captured_in_part": (
        *((18, _FAILED), (35, (refund(2, 10), judged(2)))),
        *((60, (disputed(-1, "general"),)), (75, ())),
    ),
    "captured_in_parts": (
        *((_EVE, (disputed(-1, "unrecognized", "inquiry"),)), (85, ())),
        (22, (disputed(2, "fraudulent"), *answered(4, _LOST))),
    ),
    "captured_so_far": ((28, _HUNG), (68, ()), (_LAST, ())),
    "canceled": ((36, ()), (61, ()), (90, ())),
    "canceled_at_b": ((20, ()),),
    "declined": ((2, ()), (38, ()), (58, ()), (88, ())),
    "declined_made_up": ((42, ()), (72, ())),
    "cardholder_asked": ((30, ()), (_LAST, ())),
    "doubtful": ((52, ()), (_LAST, ())),
    "doubtful_at_b": ((77, ()), (_LAST, ())),
}


@lru_cache(maxsize=4)
def staged(seed: int, payments: int, days: int) -> tuple[SeededPayment, ...]:
    """The first fifty payments of a seed, or fewer, in order of time."""
    count = min(payments, SCENES_COUNT)
    played: Counter[str] = Counter()
    found = []
    for number, one in enumerate(seed_plan(seed, count)):
        share, after = _STAGED[one.scene.name][played[one.scene.name]]
        played[one.scene.name] += 1
        day = days + share if share < 0 else share * days // 100
        day = max(0, min(days - 1, day))
        draws = Draws.about(seed, "staged", number)
        at_ms = moment_ms(draws, shop_of(one.merchant_id))
        later = placed(after, day, days, 0)
        found.append(replace(one, day=day, at_ms=at_ms, later=later))
    return tuple(sorted(found, key=lambda one: (one.day, one.at_ms, one.key)))
