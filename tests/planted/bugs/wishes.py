"""Bugs of faults that people ask for: one that goes further than it was asked, or is kept quiet."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_HEADER = "actors/test_fault_header.py"
_WISHES = "actors/test_provider_wishes.py"

BUGS = (
    Planted(
        "fault-on-every-attempt",
        "the fault of a request is carried to the second provider too",
        (
            Edit(
                "actors.gateway.core:Gateway._decided",
                "return told(state, message, moment, rules)",
                "step = told(state, message, moment, rules)\n"
                "        from payrail.domain.fault_rules import FaultRule\n"
                "        from payrail.domain.fault_wishes import FaultWish\n"
                '        wish = FaultWish(FaultRule("authorize", "down"))\n'
                "        return carried_faults.carried(step, wish)",
            ),
        ),
        (seen_by(_HEADER, pick="first_attempt_alone"),),
    ),
    Planted(
        "fault-for-the-other-provider",
        "a fault that is meant for one provider is done at whichever comes first",
        (
            Edit(
                "actors.gateway.carried_faults:_with",
                "if wish.provider not in (None, public_name(provider)):",
                "if not provider:",
            ),
        ),
        (seen_by(_HEADER, pick="stays_behind"),),
    ),
    Planted(
        "fault-kept-quiet",
        "an injected fault is told to no log",
        (
            Edit(
                "actors.provider.injected:told",
                "    step.notes.append(_note(drill.door, drill.rule_id, drill.rule.do, "
                "operation, reference))\n",
                "",
            ),
        ),
        (seen_by(_WISHES, "scenarios/test_conformance_faults.py"),),
    ),
    Planted(
        "names-leave-the-vault",
        "a person's name goes to the provider with the card",
        (
            Edit(
                "actors.vault.seals:sealed_card",
                "spoken_name(card.holder)",
                "card.holder",
            ),
        ),
        (seen_by(_WISHES, pick="leave_the_vault"),),
    ),
)
