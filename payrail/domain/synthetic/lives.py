"""What may become of a payment: every life is a scene, orders on later days, and a card to fit.

In a life the `day` of an order counts from the payment's own day; below zero it counts from the
plan's end, -1 being the last day. How often each is lived is a matter of the branch (`trades`).
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate

from payrail.domain.synthetic import follows
from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.follows import Follow
from payrail.domain.synthetic.scenes import CLAIM, HOLD, Act, Scene
from payrail.domain.synthetic.trades import Trade

OWN, DECLINED, CHALLENGED = "own", "declined", "challenged"
SENT_BACK, SLOW_REFUND, DISPUTED = "sent_back", "slow_refund", "disputed"
_F, _WON, _LOST = Follow, "winning_evidence", "losing_evidence"

SALE = Scene("sale", 0, "captured", (HOLD, CLAIM), settles=True)
SALE_AT_ONCE = Scene("sale_at_once", 0, "captured", one_call="automatic", settles=True)
SALE_IN_PART = Scene("sale_in_part", 0, "captured", (HOLD, Act("capture", 70)), settles=True)
SALE_SO_FAR = Scene("sale_so_far", 0, "captured", (HOLD, Act("capture", 60, final=False)))
LEFT_OPEN = Scene("left_open", 0, "authorized", (HOLD,))
NEVER_SENT = Scene("never_sent", 0, "created", provider=None)
TURNED_DOWN = Scene("turned_down", 0, "declined", (HOLD,))
CHALLENGE = Scene("challenge", 0, "requires_action", (HOLD,))


@dataclass(frozen=True, slots=True)
class Life:
    """`weight`: its share among those of its family. All orders may move by up to `spread` days,
    together. `card`: own, or a documented one that does what this life needs."""

    name: str
    scene: Scene
    after: tuple[Follow, ...] = ()
    weight: int = 1
    spread: int = 0
    card: str = OWN


def refund(day: int, percent: int = 100, nth: int = 1, why: str = "returned") -> Follow:
    """Refund number `nth`, of so much of what was captured."""
    return _F(day, follows.REFUND, percent, nth, why)


def judged(day: int, verb: str = follows.APPROVE, nth: int = 1) -> Follow:
    """A second person's word on it."""
    return _F(day, verb, nth=nth, detail="not agreed" if verb == follows.REJECT else "")


def disputed(day: int, reason: str, stage: str = "chargeback") -> Follow:
    """The cardholder disputes all of it."""
    return _F(day, follows.DISPUTE, detail=reason, stage=stage)


def answered(day: int, text: str) -> tuple[Follow, Follow]:
    """Evidence, and off it goes."""
    return _F(day, follows.EVIDENCE, detail=text), _F(day, follows.SUBMIT)


def accepted(day: int) -> Follow:
    """The merchant gives in."""
    return _F(day, follows.ACCEPT)


def ruled(day: int, outcome: str) -> Follow:
    """The provider rules: won | lost."""
    return _F(day, follows.RESOLVE, detail=outcome)


REFUNDED = (
    Life("refund_full", SALE, (refund(1), judged(2)), 40, 9),
    Life("refund_part", SALE, (refund(1, 30), judged(1)), 25, 9),
    Life(
        "refund_two",
        SALE_AT_ONCE,
        (refund(1, 25), judged(1), refund(4, 40, 2), judged(5, nth=2)),
        10,
        5,
    ),
    Life("refund_rejected", SALE, (refund(2), judged(3, follows.REJECT)), 10, 9),
    Life("refund_unjudged", SALE, (refund(2),), 7, 9),
    Life("refund_slow", SALE, (refund(1), judged(1)), 4, 4, SLOW_REFUND),
    Life("refund_sent_back", SALE, (refund(1), judged(1)), 4, 4, SENT_BACK),
)
DISPUTES = (
    Life(
        "inquiry_answered",
        SALE,
        (disputed(2, "unrecognized", "inquiry"), *answered(4, _WON), ruled(7, "won")),
        15,
        4,
    ),
    Life(
        "chargeback_won",
        SALE,
        (disputed(3, "product_not_received"), *answered(5, _WON), ruled(9, "won")),
        25,
        6,
    ),
    Life(
        "chargeback_lost",
        SALE,
        (disputed(3, "fraudulent"), *answered(6, _LOST), ruled(10, "lost")),
        25,
        6,
    ),
    Life(
        "chargeback_accepted",
        SALE_AT_ONCE,
        (disputed(4, "product_unacceptable"), accepted(6)),
        15,
        6,
    ),
    Life("chargeback_unanswered", SALE_AT_ONCE, (disputed(2, "fraudulent"),), 12, 4),
    Life(
        "chargeback_second",
        SALE,
        (
            *(disputed(2, "duplicate"), *answered(3, _WON), ruled(6, "won")),
            _F(9, follows.SECOND, detail="duplicate"),
        ),
        8,
        3,
    ),
)
LATE = (
    Life("late_capture", LEFT_OPEN, (_F(1, follows.CAPTURE),), 60, 4),
    Life("late_capture_in_part", LEFT_OPEN, (_F(2, follows.CAPTURE, 80),), 15, 3),
    Life("captured_in_parts", SALE_SO_FAR, (_F(2, follows.CAPTURE),), 12, 3),
    Life("canceled_later", LEFT_OPEN, (_F(1, follows.CANCEL),), 13, 4),
)
#: What happens at once, or not at all. Of invented cards the issuer declines a share of its own.
PLAIN = (
    Life("sale", SALE, weight=800),
    Life("sale_in_part", SALE_IN_PART, weight=30),
    Life("canceled", LEFT_OPEN, (_F(0, follows.CANCEL),), 30),
    Life("hold_lapses", LEFT_OPEN, weight=12),
    Life("never_sent", NEVER_SENT, weight=8),
    Life("turned_down", TURNED_DOWN, weight=55, card=DECLINED),
    Life("challenge_left", CHALLENGE, weight=15, card=CHALLENGED),
)
SALE_IN_ONE_CALL = Life("sale_at_once", SALE_AT_ONCE)
DISPUTED_BY_CARD = Life("disputed_by_card", SALE_AT_ONCE, card=DISPUTED)
#: No order of any life comes later after its payment.
REACH_DAYS = max(
    life.spread + life.after[-1].day for life in (*PLAIN, *LATE, *REFUNDED, *DISPUTES) if life.after
)


@dataclass(frozen=True, slots=True)
class _Family:
    lives: tuple[Life, ...]
    sums: tuple[int, ...]

    @classmethod
    def of(cls, lives: tuple[Life, ...]) -> "_Family":
        return cls(lives, tuple(accumulate(life.weight for life in lives)))

    def pick(self, draw: int) -> Life:
        return self.lives[bisect_right(self.sums, draw % self.sums[-1])]


_PLAIN, _LATE = _Family.of(PLAIN), _Family.of(LATE)
_REFUNDED, _DISPUTES = _Family.of(REFUNDED), _Family.of(DISPUTES)


def life_of(draws: Draws, trade: Trade) -> tuple[Life, int]:
    """A life as payments of that branch have it, and by how many days its orders move."""
    share = draws.below(1_000)
    pick = draws.below(1 << 32)
    life = _family(share, trade).pick(pick)
    if life.name == "sale" and (pick >> 16) % 1_000 < trade.in_one_call_permille:
        life = SALE_IN_ONE_CALL
    return life, (pick >> 24) % (life.spread + 1)


def _family(share: int, trade: Trade) -> _Family:
    if share < trade.dispute_permille:
        return _DISPUTES
    share -= trade.dispute_permille
    if share < trade.refund_permille:
        return _REFUNDED
    return _LATE if share < trade.refund_permille + trade.late_permille else _PLAIN


def placed(after: tuple[Follow, ...], day: int, days: int, shift: int) -> tuple[Follow, ...]:
    """Orders on the calendar of a plan; what would come after its last day is left out."""
    dated = [
        replace(one, day=max(day, days + one.day) if one.day < 0 else day + one.day + shift)
        for one in after
    ]
    return tuple(one for one in dated if one.day < days)
