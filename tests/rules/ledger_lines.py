"""Lines of the ledger as a test wants them: right ones, and others that no house would write."""

from typing import Any

from payrail.runtime.sim import SimFs
from payrail.storage.lines import GENESIS, chained, encode, hash_of


def entry(seq: int, *moves: tuple[str, int, str], **more: Any) -> dict[str, Any]:
    postings = [
        {"account": account, "amount": amount_minor, "currency": currency}
        for account, amount_minor, currency in moves
    ]
    return {
        "seq": seq,
        "event_id": f"evt_{seq}",
        "type": "payment.captured",
        "ref": "pi_1",
        "merchant_id": "m_001",
        "timestamp": "2026-02-09T12:00:00.123Z",
        "amount": 1099,
        "currency": "USD",
        "data": {},
        "postings": postings,
        "correlation_id": "cor_1",
        "causation_id": "frontdoor>gateway:1.1",
        **more,
    }


def moved(seq: int, amount_minor: int = 1099, currency: str = "USD", **more: Any) -> dict[str, Any]:
    return entry(
        seq,
        ("asset:providerA:receivable", amount_minor, currency),
        ("liability:m_001:pending", -amount_minor, currency),
        **more,
    )


def write(fs: SimFs, path: str, *entries: dict[str, Any]) -> None:
    """Append entries to one of the ledger's files."""
    file = fs.open(path, create=True)
    above = file.pread(0, file.size()).splitlines()
    prev = hash_of(above[-1]) if above else GENESIS
    for one in entries:
        line = chained(encode(one), prev)
        prev = hash_of(line)
        file.append(line + b"\n")
