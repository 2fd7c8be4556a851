"""Rules in force: a file that changed is taken between two messages, or refused, and both are said.

What is decided by stands in the journal, so that a decision can be made again. A file that cannot
be used changes nothing: the rules that were in force stay. Only a gateway that knows none does not
start (exit 78). Owns: data/actors/gateway/rules.json, a view. Never: reads a file.
"""

from collections.abc import Sequence

from msgspec import Struct, to_builtins

from actors.gateway import breakers, canaries, provider_folds, rule_files
from actors.gateway.facts import CanarySet, RulesWereRefused, RulesWereTaken
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.timestamps import iso
from payrail.domain.words.rules import (
    VIEW,
    RuleComplaint,
    RulesFound,
    RulesInForce,
    RulesRefused,
    WatchRules,
)
from payrail.runtime.actor import Errand, Message, Moment, Show, Step

WATCH = "rules"


def opened(state: GatewayState, files: Sequence[RulesFound], moment: Moment, rules: Rules) -> Step:
    """Take what changed since the last incarnation, and watch. Raises BadRules for a file that
    cannot be used where none was in force before."""
    if not files:
        return Step()
    events: list[Struct] = []
    for found in files:
        events += [] if _is_known(state, found) else _judged(state, found, moment, rules)
    step = _said(state, events, moment, rules, f"cor_rules_{moment.step}")
    _must_be_readable(state, events, rules)
    return step


def found(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A file is not what it was."""
    told: RulesFound = message.body
    events = [] if _is_known(state, told) else _judged(state, told, moment, rules)
    return _said(state, events, moment, rules, message.correlation_id)


def fold(state: GatewayState, event: RulesWereTaken | RulesWereRefused) -> None:
    """The rules in force, and what was refused since."""
    if isinstance(event, RulesWereTaken):
        state.rules[event.file] = event.rules
        state.refused.pop(event.file, None)
    else:
        state.refused[event.file] = event.refused


def _must_be_readable(state: GatewayState, events: Sequence[Struct], rules: Rules) -> None:
    """What is in force was taken by an earlier version, perhaps. Raises BadRules."""
    after = _after(state, events)
    rule_files.with_texts(rules, {name: kept.text for name, kept in after.rules.items()})


def _after(state: GatewayState, events: Sequence[Struct]) -> GatewayState:
    """As much of the state as is shown here, after these events."""
    after = GatewayState(
        rules=dict(state.rules),
        refused=dict(state.refused),
        breakers=state.breakers,
        canary=state.canary,
    )
    for event in events:
        if isinstance(event, CanarySet):
            provider_folds.fold_fact(after, event)
        elif isinstance(event, RulesWereTaken | RulesWereRefused):
            fold(after, event)
    return after


def _is_known(state: GatewayState, found: RulesFound) -> bool:
    return _known(state).get(found.file) == found.sha256


def _known(state: GatewayState) -> dict[str, str]:
    """What each file was when it was last judged."""
    taken = {name: kept.sha256 for name, kept in state.rules.items()}
    return taken | {name: bad.sha256 for name, bad in state.refused.items()}


def _judged(state: GatewayState, found: RulesFound, moment: Moment, rules: Rules) -> list[Struct]:
    bad = rule_files.judge(found, rules)
    before = state.rules.get(found.file)
    if bad is None:
        same = before is not None and before.sha256 == found.sha256
        since_ms = before.since_ms if before is not None and same else moment.business_ms
        taken = RulesWereTaken(found.file, RulesInForce(found.sha256, found.text, since_ms))
        return [taken, *_canary(state, found, rules)]
    if before is None:
        raise bad
    errors = [RuleComplaint(*fault) for fault in bad.faults]
    return [RulesWereRefused(found.file, RulesRefused(found.sha256, errors, moment.business_ms))]


def _canary(state: GatewayState, found: RulesFound, rules: Rules) -> Sequence[Struct]:
    """A canary that people set or took away with these rules."""
    if found.file != "routing":
        return []
    return canaries.set_by(rule_files.read(found.file, found.text, rules), state.canary)


def _said(
    state: GatewayState, events: list[Struct], moment: Moment, rules: Rules, correlation_id: str
) -> Step:
    """The events, the view after them, and the watch that goes on."""
    after = _after(state, events)
    body, ident = WatchRules(_known(after)), f"rules:{moment.step}"
    watch = Errand(ident, WATCH, body, correlation_id, watches=True)
    shows = [Show(VIEW, _shown(after)), *breakers.views(after, rules.providers, moment)]
    return Step(events=events, shows=shows, errands=[watch])


def _shown(state: GatewayState) -> dict[str, object]:
    return {"rules": [_row(name, state) for name in state.rules if name in rule_files.FILES]}


def _row(name: str, state: GatewayState) -> dict[str, object]:
    kept, refused = state.rules[name], state.refused.get(name)
    return {
        "id": name,
        "file": rule_files.FILES[name].path,
        "sha256": kept.sha256,
        "in_force_since": iso(kept.since_ms),
        "state": "refused" if refused else "in_force",
        "refused_sha256": refused.sha256 if refused else None,
        "refused_at": iso(refused.at_ms) if refused else None,
        "errors": to_builtins(refused.errors) if refused else [],
    }
