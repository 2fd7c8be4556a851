"""Judge a house at rest: which invariants there are, and what they say of it."""

from actors.simulation.evidence import Evidence
from actors.simulation.invariants import ALL, WAITING, check_all

#: Judged only where somebody gives the evidence of a twin: of a seed, trace hashes are compared.
_OF_TWO_RUNS = frozenset({"I24"})


def judged(evidence: Evidence) -> list[str]:
    """What does not hold, as sentences; empty: all does."""
    findings = check_all(evidence, deep=True)
    return str(findings).splitlines() if findings else []


def checked() -> list[str]:
    """The invariants that each run is checked for."""
    return [f"{one.id} {one.title}" for one in ALL if one.id not in _OF_TWO_RUNS]


def waiting() -> list[str]:
    """Those that wait for something to be built."""
    return [f"{one.id} {one.title}: {one.reason}" for one in WAITING]
