"""Evidence of a run, spoilt where money is: the truth of the providers, the ledger, settlement."""

from dataclasses import replace

import msgspec

from actors.simulation.evidence import Evidence
from actors.simulation.reading import OUTBOX, PAYOUT, Row
from payrail.domain.claim_entries import RefundFailed
from tests.scenarios.spoilt.run import TRUTH_A, TRUTH_B, Case, change_entry, change_file, entry


def approved_twice(evidence: Evidence) -> None:
    """The other provider has charged as well."""
    first = next(row for row in evidence.books.truths if row["operation"] == "authorize")
    evidence.books.truths.append(Row(TRUTH_B, 1, {**first.fields, "reference": _next(first)}))


def _next(row: Row) -> str:
    payment, _, k = str(row["reference"]).rpartition(".")
    return f"{payment}.{int(k) + 7}"


def done_twice(evidence: Evidence) -> None:
    """A capture was carried out again under the same reference."""
    first = next(row for row in evidence.books.truths if row["operation"] == "capture")
    evidence.books.truths.append(Row(TRUTH_A, 99, dict(first.fields)))


def a_key_made_two(evidence: Evidence) -> None:
    old = entry(evidence, "payment.created")
    key = old.fact.data.idempotency_key
    others = [one for one in evidence.books.entries if one.fact.type == "payment.created"][1:]
    mine = next(one for one in others if one.fact.merchant_id == old.fact.merchant_id)
    data = msgspec.structs.replace(mine.fact.data, idempotency_key=key)
    new = replace(mine, fact=msgspec.structs.replace(mine.fact, data=data))
    evidence.books.entries[evidence.books.entries.index(mine)] = new


def never_happened(evidence: Evidence) -> None:
    """The ledger has a capture that its provider never made."""
    truths = evidence.books.truths
    truths.remove(next(row for row in truths if row["operation"] == "capture"))


def never_booked(evidence: Evidence) -> None:
    """A provider paid back what nobody booked."""
    capture = next(row for row in evidence.books.truths if row["operation"] == "capture")
    fields = {**capture.fields, "operation": "refund", "reference": _next(capture)}
    evidence.books.truths.append(Row(TRUTH_A, 99, fields))


def doubt_is_an_end(evidence: Evidence) -> None:
    """The provider's answer said nothing, and the refund counts as failed."""
    cause = entry(evidence, "refund.succeeded").fact.causation_id
    evidence.books.said[cause]["result"] = "ambiguous"
    _fail_the_refund(evidence, cause)


def silence_is_an_end(evidence: Evidence) -> None:
    """Nobody had answered in time, and the refund counts as failed."""
    _fail_the_refund(evidence, "timer:attempt:pi_1.3:9")


def _fail_the_refund(evidence: Evidence, cause: str) -> None:
    done = entry(evidence, "refund.succeeded").fact.data
    failed = RefundFailed(done.payment_id, done.provider, done.reference, "reset")
    kind = "refund.failed"
    change_entry(evidence, "refund.succeeded", type=kind, data=failed, causation_id=cause)


def done_all_the_same(evidence: Evidence) -> None:
    """A provider said that it would never capture, and did."""
    said = evidence.books.said.values()
    next(word for word in said if word["operation"] == "capture")["result"] = "fenced"


def charged_too_late(evidence: Evidence) -> None:
    sent = evidence.books.sent("vault")["provider-a"]
    at = next(number for number, raw in enumerate(sent) if b'"kind":"charge"' in raw)
    begin = sent[at].index(b'"deadline":"') + len(b'"deadline":"')
    sent[at] = sent[at][:begin] + b"2001" + sent[at][begin + 4 :]


def money_from_nothing(evidence: Evidence) -> None:
    postings = [*entry(evidence, "payment.captured").fact.postings]
    postings[0] = msgspec.structs.replace(postings[0], amount=postings[0].amount + 1)
    change_entry(evidence, "payment.captured", postings=postings)


def other_money(evidence: Evidence) -> None:
    """A refund is taken from another account than the rules say."""
    postings = [
        msgspec.structs.replace(one, account="liability:m_001:elsewhere")
        if one.account.endswith("available")
        else one
        for one in entry(evidence, "refund.approved").fact.postings
    ]
    change_entry(evidence, "refund.approved", postings=postings)


def too_much_back(evidence: Evidence) -> None:
    change_entry(evidence, "refund.requested", amount=5_000_000)


def skipped(evidence: Evidence) -> None:
    """Captured without having been authorized."""
    evidence.books.entries.remove(entry(evidence, "payment.attempt_started"))


def without_an_event(evidence: Evidence) -> None:
    evidence.books.rows(OUTBOX).pop()


def settled_nowhere(evidence: Evidence) -> None:
    name = f"data/settlement/{evidence.fs.listdir('data/settlement')[0]}"
    captured = next(line for line in evidence.fs.read(name).split(b"\n") if b",capture," in line)
    change_file(evidence, name, captured + b"\n", b"")


def paid_out_less(evidence: Evidence) -> None:
    """The provider says that it paid out less than the bank has."""
    row = next(row for row in evidence.books.truths if row["operation"] == PAYOUT)
    row.fields["amount"] -= 1


def never_paid_out(evidence: Evidence) -> None:
    """We received what no provider paid out."""
    truths = evidence.books.truths
    truths.remove(next(row for row in truths if row["operation"] == PAYOUT))


CASES: tuple[Case, ...] = (
    ("I2", approved_twice, "2 live approvals", "M1 M2"),
    ("I2", done_twice, "happened twice", "M2"),
    ("I2", a_key_made_two, "made pi_", "I1"),
    ("M1", never_happened, "providerA did not", "M2"),
    ("M2", never_booked, "refunded in truth", ""),
    ("M3", doubt_is_an_end, "said ambiguous", "M2 I4"),
    ("M3", silence_is_an_end, "nobody answered", "M2 I4"),
    ("M4", done_all_the_same, "capture, and", ""),
    ("M5", charged_too_late, "after its time", "I12"),
    ("M6", paid_out_less, "at the bank", ""),
    ("M6", never_paid_out, "0 paid out", ""),
    ("I4", money_from_nothing, "trial balance", ""),
    ("I4", other_money, "other money", ""),
    ("I5", too_much_back, "to be given back", "I1 I18"),
    ("I6", skipped, "cannot follow created", "A3 M1 M2 I9 I15"),
    ("A3", without_an_event, "entries have", "I11"),
    ("I10", settled_nowhere, "stands in no file", ""),
)
