"""Every injected fault is told as injected: what had an effect in the truth, all in the log.

A line `fault.injected` in the log of the provider names the door that it came by (rule, file,
header, name, amount, card), what was done to which operation, and our reference. It is written once
the step is durable, and once. Never: decides whether a fault touches a call (`rules`, `wishes`).
"""

from msgspec import Struct

from actors.provider.rules import CARD, Drill, door_of
from actors.provider.state import FaultUsed
from payrail.runtime.actor import Note, Step

EVENT = "fault.injected"


def told(step: Step, drill: Drill, operation: str, reference: str) -> Step:
    """`step`, in which `drill` was done: the use of its rule first, and the line of the log."""
    step.events[:0] = used(drill)
    step.notes.append(_note(drill.door, drill.rule_id, drill.rule.do, operation, reference))
    return step


def by_card(step: Step, do: str, operation: str, reference: str) -> Step:
    """`step`, which went as a documented test card always goes."""
    step.notes.append(_note(CARD, None, do, operation, reference))
    return step


def by_rule(step: Step, rule_id: str, do: str, operation: str, reference: str) -> Step:
    """`step`, in which a rule had a part; its uses are counted elsewhere."""
    step.notes.append(_note(door_of(rule_id), rule_id, do, operation, reference))
    return step


def used(drill: Drill) -> list[Struct]:
    """One use less of a rule that is counted."""
    if drill.rule_id is None or drill.rule.count is None:
        return []
    return [FaultUsed(drill.rule_id)]


def _note(door: str, rule: str | None, do: str, operation: str, reference: str) -> Note:
    fields = {"door": door, "rule": rule, "do": do, "operation": operation, "reference": reference}
    return Note(EVENT, fields)
