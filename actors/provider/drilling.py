"""Drills while they last: rules that people begin and end, what is left of them, how they look."""

from typing import Any

from msgspec import to_builtins

from actors.provider import injected
from actors.provider.mismatches import DEED
from actors.provider.rules import spent
from actors.provider.state import FaultInjected, FaultsCleared, FaultUsed, ProviderState
from payrail.domain.fault_rules import RULES_MAX, FaultRule, parse_rule
from payrail.domain.ids import derived_id
from payrail.domain.messages import ClearFaults, InjectFault
from payrail.domain.words.settlement import StatementWritten
from payrail.errors import RequestError
from payrail.runtime.actor import Message, Moment, Step, answer


def inject(state: ProviderState, drill: InjectFault, message: Message, moment: Moment) -> Step:
    """Begin a drill. Refuses a rule that is not one, and more rules than a drill can need."""
    rule = parse_rule(drill.rule)
    if len(state.faults) >= RULES_MAX:
        raise RequestError(422, "validation-error", f"There are {RULES_MAX} rules; clear them.")
    rule_id = _rule_id(message, moment)
    body = {"object": "fault", "id": rule_id, "rule": shown(rule)}
    return Step(
        events=[] if rule_id in state.faults else [FaultInjected(rule_id, rule, drill.user_id)],
        replies=answer(message, 201, body),
    )


def spent_on(
    state: ProviderState, written: StatementWritten
) -> tuple[list[FaultUsed], dict[str, FaultRule]]:
    """The uses of counted rules in a statement, and the rules as they are after them."""
    used, left = list[FaultUsed](), dict(state.faults)
    for one in written.injected:
        rule = left.get(one.rule_id)
        if rule is None or rule.count is None:
            continue
        used.append(FaultUsed(one.rule_id))
        rest = spent(rule)
        if rest is None:
            del left[one.rule_id]
        else:
            left[one.rule_id] = rest
    return used, left


def told_of(step: Step, used: list[FaultUsed], written: StatementWritten) -> Step:
    """`step`, which takes a statement for written, with what was done to it; nothing when it was
    taken before."""
    if not step.events:
        return step
    step.events[:0] = used
    for one in written.injected:
        do, about = f"{DEED}:{one.kind}", f"{written.batch_id}:{one.seq}"
        injected.by_rule(step, one.rule_id, do, "statement", about)
    return step


def _rule_id(message: Message, moment: Moment) -> str:
    """Of a question that is asked again after our rebirth the same, so that it is one drill."""
    if message.reply_to is None:
        return moment.new_id("flt")
    return derived_id("flt", f"{message.sender} {message.reply_to}", 0, 0)


def clear(state: ProviderState, order: ClearFaults, message: Message) -> Step:
    """End all drills. Calls that a drill put off stay put off."""
    return Step(
        events=[FaultsCleared(order.user_id)] if state.faults else [],
        replies=answer(message, 200, {"cleared": len(state.faults)}),
    )


def shown(rule: FaultRule) -> dict[str, Any]:
    """A rule as people write it, with what it leaves out left out."""
    return to_builtins(rule)  # type: ignore[no-any-return]


def listed(state: ProviderState) -> dict[str, Any]:
    """The rules in force, oldest first, and how many uses are left of each; null: without end."""
    rows = [
        {"object": "fault", "id": rule_id, "rule": shown(rule), "uses_left": rule.count}
        for rule_id, rule in state.faults.items()
    ]
    return {"object": "list", "data": rows, "has_more": False, "next_cursor": None}
