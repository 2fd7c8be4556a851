"""One audit: every check over one home and its witnesses, in one order."""

from collections.abc import Iterable
from pathlib import Path

from tests.auditor.card_keys import check_card_keys
from tests.auditor.cards import check_cards
from tests.auditor.claims import check_claim_truth, check_claims
from tests.auditor.delivered import check_deliveries, check_sink
from tests.auditor.files import book_paths, read_chain
from tests.auditor.journals import check_journals
from tests.auditor.ledger import check_ledger, dead_letters
from tests.auditor.paid import check_paid
from tests.auditor.pan import check_pans
from tests.auditor.payouts import check_payouts
from tests.auditor.report import Report
from tests.auditor.settled import check_settled
from tests.auditor.stated import all_settled, check_stated
from tests.auditor.truth import check_truth
from tests.auditor.vault_keys import check_vault_keys
from tests.auditor.witness import check_heads, check_history


def audit(
    home: Path,
    *,
    history: Path | None = None,
    heads: Path | None = None,
    sink: Path | None = None,
    is_settled: bool = False,
    pans: Iterable[str] = (),
    extra: Iterable[Path] = (),
    known_dead: Iterable[str] = (),
    clocks_agree: bool = True,
) -> Report:
    """Everything that files alone can show of a house at rest. `sink` is what the merchants'
    endpoints heard; `is_settled` says that everything captured was settled before. `known_dead`
    are the ids of dead letters from before; `extra` are files outside of the home that must hold
    no card number; `clocks_agree` says that nobody set the machine's clock meanwhile."""
    report = Report()
    books = {path: read_chain(home, path, report) for path in book_paths(home)}
    decided_ms = check_journals(home, books, report)
    payments = check_ledger(books, report, decided_ms)
    check_truth(books, payments, report)
    check_cards(home, books, payments, report, clocks_agree=clocks_agree)
    check_vault_keys(home, books, report)
    check_card_keys(home, report)
    movements = check_claims(books, payments, report)
    check_claim_truth(books, movements, report)
    check_settled(home, payments, movements, books, report)
    check_payouts(home, books, report)
    check_paid(home, books, report)
    stated = check_stated(home, books, payments, movements, report)
    if is_settled:
        all_settled(payments, movements, stated, report)
    check_deliveries(books, report)
    if sink is not None:
        check_sink(home, sink, books, report)
    dead_letters(books, frozenset(known_dead), report)
    if history is not None:
        check_history(history, payments, report)
    if heads is not None:
        check_heads(heads, books, report)
    check_pans(home, list(pans), list(extra), report)
    return report
