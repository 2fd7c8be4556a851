"""The tables of moves, drawn: as Mermaid for pages, as text for terminals.

A picture is made from the table that the code obeys, so that it cannot say anything else. Moves
that leave the state as it is are shown in the text alone.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from payrail.domain.disputes import BEGINS_AS, DISPUTE_TRANSITIONS, Stage
from payrail.domain.payment_claims import CLAIMS
from payrail.domain.payments import PAYMENT_TRANSITIONS
from payrail.domain.payouts import PAYOUT_TRANSITIONS
from payrail.domain.refunds import REFUND_TRANSITIONS

S = TypeVar("S", bound=StrEnum)
Move = tuple[str | None, str, str]  # from, entry, to


def _moves(table: Mapping[tuple[S | None, str], S]) -> list[Move]:
    return [
        (None if state is None else str(state), entry_type, str(end))
        for (state, entry_type), end in table.items()
    ]


def _dispute_moves() -> list[Move]:
    """A dispute begins by its stage."""
    inquiry = str(BEGINS_AS[Stage.INQUIRY])
    return [(None, "dispute.opened", inquiry), *_moves(DISPUTE_TRANSITIONS)]


#: By what it is about. What a payment's refunds and disputes book moves no payment: left out.
MOVES: dict[str, list[Move]] = {
    "payment": [move for move in _moves(PAYMENT_TRANSITIONS) if move[1] not in CLAIMS],
    "refund": _moves(REFUND_TRANSITIONS),
    "dispute": _dispute_moves(),
    "payout": _moves(PAYOUT_TRANSITIONS),
}


def mermaid(about: str) -> str:
    """A state diagram. Raises KeyError for what has no table."""
    moves = MOVES[about]
    drawn = [
        f"    {state or '[*]'} --> {end}: {_word(entry_type)}"
        for state, entry_type, end in moves
        if state != end
    ]
    ends = sorted({end for _, _, end in moves} - _left(moves))
    return "\n".join(["stateDiagram-v2", *drawn, *(f"    {end} --> [*]" for end in ends)]) + "\n"


def text(about: str) -> str:
    """A table with one move a line, grouped by where it starts. Raises KeyError likewise."""
    moves = MOVES[about]
    width = max(len(entry_type) for _, entry_type, _ in moves)
    lines, before = [about], ""
    for state, entry_type, end in sorted(moves, key=lambda move: _rank(moves, move[0])):
        start = state or "(nothing)"
        lines.append(f"  {'' if start == before else start:<17} {entry_type:<{width}}  {end}")
        before = start
    return "\n".join(lines) + "\n"


def _rank(moves: list[Move], state: str | None) -> int:
    """States in the order in which the table first leaves them."""
    return next(index for index, move in enumerate(moves) if move[0] == state)


def _left(moves: list[Move]) -> set[str]:
    return {state for state, _, end in moves if state is not None and state != end}


def _word(entry_type: str) -> str:
    """`payment.captured` as `captured`."""
    return entry_type.partition(".")[2]
