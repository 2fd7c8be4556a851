"""A fault that a request asks for itself, with the header `PayRail-Fault`: for the first call to a
provider that it leads to, and no other.

    PayRail-Fault: {"do":"decline:insufficient_funds"}
    PayRail-Fault: {"do":"late_webhook:60"}                      of the notice that follows the call
    PayRail-Fault: {"do":"slow:2000","fence":false,"provider":"providerA"}

It is a fault rule without `count`, `probability` and `match`; `operation` may be left out.
Never: repeats a value that was sent.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, structs

from payrail.domain.fault_rules import FaultRule, operations_of, parse_rule
from payrail.domain.providers import public_name
from payrail.errors import RequestError

HEADER = "PayRail-Fault"
#: Tells the inner door to drop a connection in place of the answer that has it.
DROPPED = "X-PayRail-Dropped"
#: A rule is short; whatever is longer is none.
CHARACTERS_MAX = 500
WEBHOOK = "webhook"
_FIELDS = ("do", "operation", "provider", "fence")


class FaultWish(Struct, frozen=True, omit_defaults=True):
    """What is to go wrong with one call, at one provider or at whichever it goes to."""

    rule: FaultRule
    provider: str | None = None  # providerA


def parse_wish(given: Mapping[str, Any], leads_to: str) -> FaultWish:
    """The wish of a request that leads to the operation `leads_to`. Raises RequestError 422 that
    names each field that is wrong, and what it must be."""
    errors = [_error(_named(name), "is not known") for name in given if name not in _FIELDS]
    provider = given.get("provider")
    if provider is not None and not _is_provider(provider):
        errors.append(_error("provider", "must be providerA or providerB"))
    operation = given.get("operation", "*")
    if operation not in ("*", leads_to, WEBHOOK):
        told = f"must be {leads_to}, the call that this request leads to, webhook, or left out"
        errors.append(_error("operation", told))
        operation = "*"
    rule = _rule({**given, "operation": operation}, leads_to, errors)
    if errors or rule is None:
        detail = f"The header {HEADER} does not hold a fault for this request."
        raise RequestError(422, "validation-error", detail, errors=errors)
    return FaultWish(rule, public_name(provider) if provider is not None else None)


def _rule(
    given: Mapping[str, Any], leads_to: str, errors: list[dict[str, str]]
) -> FaultRule | None:
    """The rule, about the call or about its notice. What is wrong with it joins `errors`."""
    try:
        rule = parse_rule(
            {name: given[name] for name in ("operation", "do", "fence") if name in given}
        )
    except RequestError as refusal:
        errors += [_error(one["field"], one["message"]) for one in refusal.errors]
        return None
    touched = operations_of(rule.deed)
    about = leads_to if leads_to in touched else WEBHOOK
    if about not in touched:
        errors.append(_error("do", f"{rule.deed} is no fault of one call: inject it"))
        return None
    return structs.replace(rule, operation=about)


def _is_provider(given: object) -> bool:
    try:
        return bool(public_name(given))  # type: ignore[arg-type]
    except (KeyError, TypeError):
        return False


def _named(name: str) -> str:
    return name if name in ("count", "probability", "match") else "?"


def _error(field: str, message: str) -> dict[str, str]:
    return {"field": f"{HEADER}.{field}", "message": message}
