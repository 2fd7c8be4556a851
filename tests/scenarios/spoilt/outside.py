"""Evidence of a run, spoilt where others see us: answers, views, people, cards and webhooks."""

from base64 import b64encode
from dataclasses import replace
from typing import Any

import msgspec

from actors.simulation.evidence import Asked, Evidence
from actors.simulation.house import GOOD
from actors.simulation.reading import ACCESS_LOG
from tests.scenarios.spoilt.run import (
    Case,
    add_line,
    asked,
    beside,
    change_entry,
    change_file,
    change_step,
    entry,
    instead,
)


def a_yes_of_nothing(evidence: Evidence) -> Evidence:
    """A refund had its yes, and the ledger has never heard of it."""
    old = asked(evidence, "/refunds", 201)
    return instead(evidence, old, answer=old.answer.replace(b'"id":"re_', b'"id":"re_x'))


def another_amount(evidence: Evidence) -> Evidence:
    old = asked(evidence, "/refunds", 201)
    return instead(evidence, old, answer=old.answer.replace(b'"amount":400', b'"amount":401'))


def a_capture_of_nothing(evidence: Evidence) -> Evidence:
    old = asked(evidence, "/capture", 200)
    return beside(evidence, replace(old, key="k_other"))


def two_answers(evidence: Evidence) -> Evidence:
    old = asked(evidence, "/refunds", 201)
    answer = old.answer.replace(b"sent back", b"sent forth")
    return beside(evidence, replace(old, tried=2, answer=answer))


def two_requests(evidence: Evidence) -> Evidence:
    old = asked(evidence, "/refunds", 201)
    return beside(evidence, replace(old, tried=2, body=b'{"amount":401}'))


def refused_and_done(evidence: Evidence) -> Evidence:
    old, no = asked(evidence, "/refunds", 201), asked(evidence, "/payment-intents", 422)
    return instead(evidence, old, status=422, answer=no.answer)


def refused_and_booked(evidence: Evidence) -> Evidence:
    """A request that was refused stands in the ledger under its correlation id."""
    old, made = asked(evidence, "/payment-intents", 422), entry(evidence, "refund.requested")
    return instead(evidence, old, headers={"x-correlation-id": made.fact.correlation_id})


def no_problem(evidence: Evidence) -> Evidence:
    old = asked(evidence, "/payment-intents", 422)
    return instead(evidence, old, answer=old.answer.replace(b'"code"', b'"kode"'))


def shows_our_inside(evidence: Evidence) -> Evidence:
    old = asked(evidence, "/payment-intents", 422)
    return instead(evidence, old, answer=old.answer.replace(b'"detail":"', b'"detail":"a.py: '))


def failed_inside(evidence: Evidence) -> Evidence:
    old = asked(evidence, "/payment-intents", 422)
    answer = old.answer.replace(b'"status":422', b'"status":500')
    others = beside(evidence, replace(old, key=None, status=500, answer=answer))
    return others


def still_open(evidence: Evidence) -> Evidence:
    return instead(evidence, asked(evidence, "/payment-intents", 422), status=None, answer=b"")


def shown_otherwise(evidence: Evidence) -> Evidence:
    return beside(evidence, _look(evidence, b'"amount_captured":1099', b'"amount_captured":1098'))


def _look(evidence: Evidence, old: bytes, new: bytes, **fields: Any) -> Asked:
    made = asked(evidence, "/capture", 200)
    assert old in made.answer
    path = made.path.removesuffix("/capture")
    look = replace(made, method="GET", path=path, key=None, answer=made.answer.replace(old, new))
    return replace(look, **fields)


def shown_what_was(evidence: Evidence) -> Evidence:
    """A look that began after the capture was answered shows the payment before it."""
    made = asked(evidence, "/capture", 200)
    first = asked(evidence, "/payment-intents", 201)
    seen = replace(made, method="GET", key=None, at_ms=10, answered_ms=11)
    late = replace(first, method="GET", key=None, at_ms=20, answered_ms=21)
    return beside(evidence, seen, late)


def an_old_view(evidence: Evidence) -> None:
    path = "data/providers/providerA_state.json"
    change_file(evidence, path, b'"CLOSED"', b'"OPEN"')


def told_of_another(evidence: Evidence) -> Evidence:
    return beside(evidence, replace(_look(evidence, b"{", b"{"), merchant="m_002"))


def approved_alone(evidence: Evidence) -> None:
    by = entry(evidence, "refund.requested").fact.data.requested_by
    data = msgspec.structs.replace(entry(evidence, "refund.approved").fact.data, approved_by=by)
    change_entry(evidence, "refund.approved", data=data)


def approved_by_a_viewer(evidence: Evidence) -> Evidence:
    return instead(evidence, asked(evidence, "/approve", 200), role="viewer")


def a_number_in_a_log(evidence: Evidence) -> None:
    add_line(evidence, "data/logs/vault.jsonl", f'{{"event":"card {GOOD}"}}'.encode())


def a_number_in_base64(evidence: Evidence) -> None:
    add_line(evidence, "data/logs/vault.jsonl", b64encode(b"x" + GOOD.encode() + b"yz"))


def a_code_is_kept(evidence: Evidence) -> None:
    add_line(evidence, "data/logs/vault.jsonl", b'{"cvc":"123"}')


def not_written_down(evidence: Evidence) -> None:
    """A card left the vault in a step that has no line for the log."""
    steps = evidence.books.steps("vault")
    number = next(step.s for step in steps if step.out and step.in_.kind == "card.charge")
    change_step(evidence, "vault", number, books=[])


def without_a_purpose(evidence: Evidence) -> None:
    evidence.books.rows(ACCESS_LOG)[0].fields["purpose"] = ""


def other_bytes(evidence: Evidence) -> Evidence:
    first, *rest = evidence.heard
    return replace(evidence, heard=[replace(first, body=first.body + b" "), *rest])


def not_signed(evidence: Evidence) -> Evidence:
    first, *rest = evidence.heard
    headers = {**first.headers, "webhook-signature": "v1,bm8="}
    return replace(evidence, heard=[replace(first, headers=headers), *rest])


def said_and_not_heard(evidence: Evidence) -> Evidence:
    first, *rest = evidence.heard
    again = replace(first, status=500)
    return replace(evidence, heard=[first, again, *rest[1:], replace(rest[0], status=500)])


def never_arrived(evidence: Evidence) -> Evidence:
    first, *rest = evidence.heard
    return replace(evidence, heard=[*rest, replace(first, endpoint_id="we_other")])


def believed(evidence: Evidence) -> Evidence:
    forged = Asked(method="POST", path="/webhooks/provider", at_ms=0, role="forger", status=200)
    return beside(evidence, forged)


def booked_twice(evidence: Evidence) -> None:
    old = entry(evidence, "refund.succeeded")
    evidence.books.entries.append(replace(old, seq=len(evidence.books.entries) + 1))


def a_refund_that_never_was(evidence: Evidence) -> Evidence:
    made = asked(evidence, "/refunds", 201)
    answer = made.answer.replace(b'"pending_approval"', b'"failed"', 1)
    return beside(evidence, replace(made, method="GET", key=None, answer=answer))


def a_key_from_nowhere(evidence: Evidence) -> Evidence:
    made = Asked(method="POST", path="/keys", at_ms=0, status=201, answer=b'{"id":"key_nobody"}')
    return beside(evidence, made)


CASES: tuple[Case, ...] = (
    ("I9", a_refund_that_never_was, "which it never was", ""),
    ("I21", a_key_from_nowhere, "no change says so", ""),
    ("I1", a_yes_of_nothing, "has no refund.requested", "I9"),
    ("I1", another_amount, "says 401, not 400", ""),
    ("I1", a_capture_of_nothing, "is not in the ledger", ""),
    ("I3", two_answers, "another answer", ""),
    ("I3", two_requests, "both have an answer", ""),
    ("I25", refused_and_done, "it left an entry", ""),
    ("I25b", refused_and_booked, "and it left refund.requested", "I25"),
    ("I25", no_problem, "lacks code", ""),
    ("I25", shows_our_inside, "shows our inside", ""),
    ("I25", failed_inside, "500 to POST", ""),
    ("I22a", still_open, "is still open", ""),
    ("I9", shown_otherwise, "the ledger never told", ""),
    ("I9", shown_what_was, "showed less", ""),
    ("I9b", an_old_view, "shown OPEN", ""),
    ("I17", told_of_another, "of m_001", ""),
    ("I18", approved_alone, "had asked for", ""),
    ("I18", approved_by_a_viewer, "who is viewer", ""),
    ("I14", a_number_in_a_log, "in clear (data/logs", "I14d"),
    ("I14d", a_number_in_base64, "in disguise", ""),
    ("I14d", a_code_is_kept, "is kept", ""),
    ("I15", not_written_down, "do not go together", "A1"),
    ("I15", without_a_purpose, "touched", ""),
    ("I11", other_bytes, "has other bytes", ""),
    ("I11", not_signed, "is not signed", ""),
    ("I11", said_and_not_heard, "nobody said so", "I11b"),
    ("I11b", never_arrived, "never came to we_", "I11"),
    ("I19", believed, "forged", ""),
    ("I19", booked_twice, "booked twice", "I4 I6 A3"),
)
