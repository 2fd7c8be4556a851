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
    scarred = {_channel(scar.path) for scar in evidence.scars}
    shown = {scar.path for scar in evidence.scars if scar.shows}
    found = [
        f"{path} was damaged, and verify does not see it"
        for path in sorted((evidence.rotten | shown) - named)
    ]
    if not evidence.rotten:
        others = [finding for finding in findings if _channel(finding.path) not in scarred]
        found += [f"verify finds damage where there is none: {one}" for one in others]
    return found


def _channel(path: str) -> tuple[str, str]:
    """(receiver, sender) of a mailbox, of a file that was moved away too; (path, "") of others."""
    folder, _, name = path.removesuffix(".jsonl").rpartition("/")
    if not folder.startswith("mailboxes/"):
        return path, ""
    is_old = folder.endswith("/old")
    return folder.removesuffix("/old"), name.rsplit(".", 2)[0] if is_old else name


INVARIANTS = (
    Invariant("A15", "verify finds all damage, and no other", verify_is_right, is_deep=True),
)
