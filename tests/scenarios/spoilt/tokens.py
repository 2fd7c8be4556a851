"""Evidence of tokens that have ended, spoilt: a key that stands, a deletion that stops half-way."""

from dataclasses import replace
from typing import Any

import msgspec

from actors.simulation.evidence import Evidence
from actors.simulation.reading import ACCESS_LOG, decoded
from tests.scenarios.spoilt.run import Case, change_step


def _step_with(evidence: Evidence, kind: str) -> int:
    """The first step of the vault with such an event."""
    return next(
        step.s
        for step in evidence.books.steps("vault")
        if any(decoded(bytes(event))["type"] == kind for event in step.events)
    )


def _with_event(evidence: Evidence, number: int, event: dict[str, Any]) -> None:
    before = evidence.books.steps("vault")[number - 1].events
    more = msgspec.Raw(msgspec.json.encode(event))
    change_step(evidence, "vault", number, events=[*before, more])


def _stored(evidence: Evidence) -> tuple[int, dict[str, Any]]:
    number = _step_with(evidence, "card.stored")
    return number, decoded(bytes(evidence.books.steps("vault")[number - 1].events[0]))


def a_key_still_stands(evidence: Evidence) -> None:
    """A card was told to be deleted, and nobody overwrote its key."""
    _, stored = _stored(evidence)
    event = {"type": "card.shredded", "token": stored["token"], "slot": 0}
    _with_event(evidence, len(evidence.books.steps("vault")), event)


def two_in_one_slot(evidence: Evidence) -> None:
    number, stored = _stored(evidence)
    _with_event(evidence, number, {**stored, "token": "tok_twin"})


def never_shredded(evidence: Evidence) -> None:
    change_step(evidence, "vault", _step_with(evidence, "card.shredded"), events=[])


def served_two(evidence: Evidence) -> None:
    rows = evidence.books.rows(ACCESS_LOG)
    row = [row for row in rows if row["purpose"] == "charge.authorize"][-1]
    rows.append(replace(row, fields={**row.fields, "payment_id": "pi_other"}))


CASES: tuple[Case, ...] = (
    ("I16d", a_key_still_stands, "was answered as deleted, and opens", ""),
    ("I16d", two_in_one_slot, "has another card's slot", "A6 A8"),
    ("I16e", never_shredded, "was never shredded", "A6 A8"),
    ("I16u", served_two, "and pi_other", ""),
)
