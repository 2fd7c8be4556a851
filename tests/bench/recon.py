"""How long one date takes to reconcile: `python -m tests.bench.recon [captures]`.

Makes a ledger of three entries a capture and a statement with one line each, one in a thousand of
them wrong, in a temporary home; then reconciles it as the reconciler's work does.
"""

import hashlib
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from actors.reconciler.works import Reconcile, WriteSettlement, reconcile, write_settlement
from payrail.domain.fees import merchant_fee, provider_fee
from payrail.domain.settlement import bank, statements
from payrail.domain.settlement.lines import StatementLine
from payrail.domain.words.settlement import BatchClosed
from payrail.storage.fs import RealFs

DATE, BATCH = "2026-02-09", "providerA-2026-02-09-01"
AT = "2026-02-09T12:00:00.000Z"
NOON_MS, MIDNIGHT_MS = 1_770_638_400_000, 1_770_681_600_000
LEDGER = "data/ledger/payments.jsonl"
STATEMENT = f"data/providers/statements/providerA/{BATCH}.csv"
BANK = f"data/providers/statements/providerA/bank_{DATE}.csv"


def main(captures: int) -> None:
    with tempfile.TemporaryDirectory(prefix="payrail-recon-") as home:
        fs = RealFs(home, durable=False)
        wrong = _fill(Path(home), captures)
        began = time.perf_counter()
        batch = BatchClosed(
            provider="providerA",
            run=None,
            batch_id=BATCH,
            date=DATE,
            opened_ms=NOON_MS - 1,
            closed_ms=MIDNIGHT_MS,
            path=STATEMENT,
            bank_path=BANK,
        )
        _, written = write_settlement(fs, WriteSettlement(DATE, [batch]))
        settled_s = time.perf_counter() - began
        body = Reconcile(
            DATE,
            [batch],
            {DATE: written.through_seq},  # type: ignore[attr-defined]
            written.ledger_bytes,  # type: ignore[attr-defined]
            written.ledger_sha256,  # type: ignore[attr-defined]
            written.refunds,  # type: ignore[attr-defined]
            {},
            MIDNIGHT_MS,
            0,
            True,
        )
        kind, told = reconcile(fs, body)
        took_s = time.perf_counter() - began - settled_s
        if kind != "reconciliation.reported" or told.counts["mismatched"] != wrong:  # type: ignore[attr-defined]
            raise SystemExit(f"{kind}: {told}")
        rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        ledger_mb = (Path(home) / LEDGER).stat().st_size / 1e6
        print(
            json.dumps(
                {
                    "captures": captures,
                    "ledger_mb": round(ledger_mb),
                    "settle_s": round(settled_s, 2),
                    "reconcile_s": round(took_s, 2),
                    "rss_mb": round(rss_mb),
                    "wrong_found": wrong,
                }
            )
        )


def _fill(home: Path, captures: int) -> int:
    """Write ledger, statement and bank file; result: how many lines are wrong."""
    for path in (LEDGER, STATEMENT):
        (home / path).parent.mkdir(parents=True)
    with (home / LEDGER).open("wb") as file:
        for number in range(captures):
            file.writelines(_entries(number))
    lines = list(_lines(captures))
    (home / STATEMENT).write_bytes(statements.rendered("providerA", lines))
    (home / BANK).write_bytes(bank.rendered("providerA", bank.rows_of(lines, BATCH, DATE)))
    return len(range(0, captures, 1000))


def _entries(number: int) -> Iterator[bytes]:
    amount, ident = 1000 + number % 9000, f"pi_{number:016d}"
    data: dict[str, Any] = {
        "capture_id": f"cap_{number:016d}",
        "provider": "providerA",
        "reference": f"{ident}.2",
        "provider_reference": f"cp_{number:016d}",
        "final_capture": True,
        "captured_at": AT,
    }
    fees = {
        "capture_id": data["capture_id"],
        "provider": "providerA",
        "merchant_fee": merchant_fee(amount, "USD"),
        "provider_fee": provider_fee("providerA", amount, "USD"),
    }
    rows: tuple[tuple[str, dict[str, Any]], ...] = (
        ("payment.authorized", {}),
        ("payment.captured", data),
        ("fee.charged", fees),
    )
    for place, (kind, about) in enumerate(rows):
        seq = number * 3 + place + 1
        entry = {
            "seq": seq,
            "event_id": f"evt_{seq:016d}",
            "type": kind,
            "ref": ident,
            "merchant_id": "m_001",
            "timestamp": AT,
            "amount": amount,
            "currency": "USD",
            "data": about,
            "postings": [],
            "correlation_id": "cor_bench",
            "causation_id": "bench",
            "prev": hashlib.sha256(ident.encode()).hexdigest(),
            "hash": hashlib.sha256(kind.encode()).hexdigest(),
        }
        yield json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def _lines(captures: int) -> Iterator[StatementLine]:
    for number in range(captures):
        amount = 1000 + number % 9000
        fee = provider_fee("providerA", amount, "USD")
        off = number % 1000 == 0
        yield StatementLine(
            file="",
            line=0,
            provider="providerA",
            batch_id=BATCH,
            provider_reference=f"cp_{number:016d}",
            reference=f"pi_{number:016d}.2",
            operation_id=f"cap_{number:016d}",
            merchant_id="m_001",
            type="capture",
            currency="USD",
            gross=amount - off,
            fee=fee,
            net=amount - off - fee,
            occurred_at=AT,
            value_date=DATE,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
