"""What really happened in one run, as its books tell: what was exercised, and not what was drawn.

Reads the ledger and the journals of the providers. Never: judges; that is `invariants`.
"""

from collections import Counter
from typing import Any

from actors.simulation.evidence import Evidence
from actors.simulation.reading import decoded
from payrail.domain.words.kinds import PROVIDERS

#: Entries that are told by their own names.
_TOLD = {
    "payment.late_approval_reversed": "late approval reversed",
    "provider.breaker_opened": "breaker opened",
    "provider.half_opened": "breaker half open",
    "provider.closed": "breaker closed",
}
_CLAIMS = ("refund", "dispute", "payout")


def happened(evidence: Evidence) -> Counter[str]:
    """How often each: doubts, where payments and claims ended, what providers were drilled in."""
    found = _entries(evidence)
    for payment in evidence.told.payments.values():
        found[f"payment {payment.state}"] += 1
    for claim in evidence.told.claims.values():
        kind = claim.first.fact.type.partition(".")[0]
        if kind in _CLAIMS:
            found[f"{kind} {claim.state}"] += 1
    found += _drilled(evidence)
    return found


def drills_used(evidence: Evidence) -> dict[str, list[str]]:
    """By provider, one for each drill that was used: its operation and what it did."""
    return {
        name: [
            f"{rule['operation']} {str(rule['do']).partition(':')[0]}"
            for rule in _used(evidence, name).values()
        ]
        for name in PROVIDERS
    }


def _entries(evidence: Evidence) -> Counter[str]:
    found: Counter[str] = Counter()
    providers: dict[str, set[str]] = {}
    for entry in evidence.books.entries:
        kind, data = entry.fact.type, entry.fact.data
        if kind == "payment.unknown":
            found[f"doubt of {data.operation}"] += 1
        elif kind == "payment.attempt_started":
            providers.setdefault(entry.fact.ref, set()).add(data.provider)
        elif kind == "case.opened":
            found[f"case {data.reason}"] += 1
        elif kind in _TOLD:
            found[_TOLD[kind]] += 1
    found["failover"] = sum(len(names) > 1 for names in providers.values())
    return found


def _drilled(evidence: Evidence) -> Counter[str]:
    deeds = (deed for used in drills_used(evidence).values() for deed in used)
    return Counter(f"drill {deed.partition(' ')[2]}" for deed in deeds)


def _used(evidence: Evidence, provider: str) -> dict[str, dict[str, Any]]:
    """The rules of a provider that were used, by id."""
    given: dict[str, dict[str, Any]] = {}
    used: dict[str, dict[str, Any]] = {}
    for step in evidence.books.steps(provider):
        for raw in step.events:
            if not bytes(raw).startswith(b'{"type":"fault.'):
                continue
            event = decoded(bytes(raw)) or {}
            if event["type"] == "fault.injected":
                given[event["id"]] = event["rule"]
            elif event["type"] == "fault.used":
                used[event["id"]] = given[event["id"]]
    return used
