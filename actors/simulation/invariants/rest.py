"""Rest: when the faults are over, all work ends, nobody waits for ever, and nothing piles up."""

from collections.abc import Sequence
from typing import Any

from actors.simulation.evidence import Evidence, Live
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.waiting import FOR_PEOPLE, HOLD, ON_ITS_WAY, is_waited_for
from payrail.runtime.recovery import journal_path
from payrail.storage.journal import LINE_BYTES_MAX

_PROVIDERS = ("provider-a", "provider-b")
#: What may lie parked at once, also while all is broken.
PARKED_MAX = 1_000


def everybody_serves(evidence: Evidence) -> list[str]:
    """All actors live, nothing holds them up, and no rule of theirs has raised but for poison."""
    found = [f"{name} does not live" for name in evidence.actors if name not in evidence.live]
    for name, live in evidence.live.items():
        if live.blocked:
            found.append(f"{name} cannot carry out what it decided ({journal_path(name)})")
        if live.faults and not evidence.poison:
            fault = live.faults[0]
            found.append(f"{name} raised {type(fault).__name__}: {fault}")
    return found if evidence.live else []


def work_has_its_step(evidence: Evidence) -> list[str]:
    """No errand begins before the step that wants it is on the disk: what it does outside could not
    be taken back."""
    return [
        f"{one.actor} began {one.errand} with {one.durable_bytes} of {one.head_bytes} bytes durable"
        for one in evidence.begun
        if one.durable_bytes < one.head_bytes
    ]


def nobody_waits(evidence: Evidence) -> list[str]:
    """No call is open, nothing is parked, and each timer belongs to what waits for people."""
    found = []
    for name, live in evidence.live.items():
        found += [f"{name} still waits for {t}" for t in live.head.timers if is_waited_for(t)]
    if "gateway" in evidence.live:
        found += _gateway_waits(evidence.live["gateway"])
    for name in _PROVIDERS:
        if name in evidence.live and evidence.live[name].state.notices:
            owed = list(evidence.live[name].state.notices)
            found.append(f"{name} still owes {len(owed)} notices, first {owed[0]}")
    return found


def _gateway_waits(live: Live) -> list[str]:
    state = live.state
    found = [f"{what} is still {how}" for how, kept in _kept(state).items() for what in kept]
    found += [
        f"{v.id}: a call is still open" for v in state.payments.values() if v.open is not None
    ]
    found += [
        f"{view.id}: {view.state}, with nobody at work"
        for view in state.refunds.values()
        if view.state != "pending_approval"
    ]
    for begin, wanted in _due(state).items():
        timers = [timer for timer in live.head.timers if timer.startswith(begin)]
        for timer in sorted({*timers} ^ {*wanted}):
            has = "stands for nothing" if timer in timers else "is missing"
            found.append(f"gateway: timer {timer} {has}")
    return found


def _kept(state: Any) -> dict[str, Sequence[str]]:
    return {
        "pending": list(state.pending),
        "to be given back": list(state.late),
        "parked": [*state.parked, *state.disputes.parked],
        "asked about": list(state.disputes.asks),
    }


def _due(state: Any) -> dict[tuple[str, ...], list[str]]:
    """The timers that must stand, by how they begin."""
    unanswered = [d.id for d in state.disputes.open.values() if not d.is_answered]
    challenges = [view.challenge for view in state.payments.values() if view.challenge]
    people = [*(f"refund:{ident}" for ident in state.refunds)]
    people += [f"dispute:{ident}" for ident in unanswered]
    people += [f"challenge:{challenge.id}" for challenge in challenges]
    held = [f"{HOLD}{view.id}" for view in state.payments.values() if view.amount_capturable]
    payouts = [p.id for p in state.paying.payouts.values() if p.state == "in_transit"]
    return {
        FOR_PEOPLE: people,
        (HOLD,): held,
        (ON_ITS_WAY,): [f"{ON_ITS_WAY}{ident}" for ident in payouts],
    }


def everything_is_bounded(evidence: Evidence) -> list[str]:
    """No line is longer than it may be, no temporary file is left, and little lies parked."""
    found = []
    for name in evidence.actors:
        path = journal_path(name)
        longest = max(map(len, evidence.books.lines(path)), default=0)
        if longest > LINE_BYTES_MAX + 256:
            found.append(f"{name}: a line of {longest} bytes ({path})")
    gateway = evidence.live.get("gateway")
    if gateway is not None and len(gateway.state.parked) > PARKED_MAX:
        found.append(f"gateway: {len(gateway.state.parked)} notices are parked")
    if evidence.is_quiet:
        found += _left_over(evidence)
    return found


def _left_over(evidence: Evidence) -> list[str]:
    """Temporary files. A crash may leave one beside each document, to be written over."""
    temporary = [path for path in evidence.books.all_paths if path.endswith(".tmp")]
    if evidence.fired:
        temporary = [path for path in temporary if not path.rpartition("/")[2].startswith(".")]
    return [f"a temporary file is left ({path})" for path in temporary]


def same_seed_same_bytes(evidence: Evidence) -> list[str]:
    """Another run with the same seed left the same files."""
    found = []
    for path, last in (evidence.twin or {}).items():
        lines = evidence.books.lines(path)
        ours = lines[-1][-66:-2].decode() if lines else ""
        if ours != last:
            found.append(f"ends in {ours[:12]}, and in {last[:12]} in its twin ({path})")
    return found


INVARIANTS = (
    Invariant("I22", "everybody serves", everybody_serves, needs_rest=True),
    Invariant("A16", "work beside the loop has its durable step", work_has_its_step),
    Invariant("I22b", "nobody waits", nobody_waits, needs_rest=True),
    Invariant("I23", "everything is bounded", everything_is_bounded),
    Invariant("I24", "the same seed, the same bytes", same_seed_same_bytes),
)
