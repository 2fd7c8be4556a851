"""Damage from outside: `verify` names every damaged file, and never one that is whole."""

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from payrail.audit.findings import damaged
from payrail.audit.house import verify


def verify_is_right(evidence: Evidence) -> list[str]:
    """What people are told by `payrail verify`: each file that was damaged and not mended, and
    nothing else."""
    actors = {name: evidence.core(name) for name in evidence.actors}
    findings = damaged(verify(evidence.fs, actors))
    named = {finding.path for finding in findings}
    found = [
        f"{path} was damaged, and verify does not see it"
        for path in sorted(evidence.rotten - named)
    ]
    if not evidence.rotten:
        found += [f"verify finds damage where there is none: {one}" for one in findings]
    return found


INVARIANTS = (
    Invariant("A15", "verify finds all damage, and no other", verify_is_right, is_deep=True),
)
