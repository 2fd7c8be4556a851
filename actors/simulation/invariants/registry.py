"""Every invariant in one list, and those that still wait for something to check."""

from collections.abc import Iterable

from actors.simulation.evidence import Evidence
from actors.simulation.invariants import (
    answers,
    cards,
    chains,
    channels,
    ended,
    folded,
    hooks,
    ledger,
    letters,
    paid_out,
    people,
    rest,
    rot,
    settling,
    truth,
    vault_keys,
    views,
    words,
)
from actors.simulation.invariants.invariant import Findings, Invariant, Waiting

#: Money first: what is worst stands on top.
_MONEY = (truth, words, ledger, settling, paid_out)
_OUTSIDE = (answers, views, people, cards, ended, hooks)
_INSIDE = (chains, rot, vault_keys, channels, folded, letters, rest)
ALL: tuple[Invariant, ...] = tuple(
    one for room in (*_MONEY, *_OUTSIDE, *_INSIDE) for one in room.INVARIANTS
)

WAITING: tuple[Waiting, ...] = (
    Waiting("I20", "no egress to internal addresses", "needs sockets: seen on real processes"),
)


def check_all(
    evidence: Evidence, invariants: Iterable[Invariant] = ALL, *, deep: bool = False
) -> Findings:
    """Check them all; `deep` also those that take long. A check that cannot read the evidence has
    found something: its error becomes the sentence."""
    findings = Findings()
    for invariant in invariants:
        if (invariant.is_deep and not deep) or (invariant.needs_rest and not evidence.is_quiet):
            continue
        try:
            found = invariant.check(evidence)
        except Exception as error:
            found = [f"could not be checked: {type(error).__name__}: {error}"]
        findings.add(invariant, found)
    return findings
