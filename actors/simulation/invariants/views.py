"""What was shown: each view of a payment is what the ledger told at some moment, and never older
than what somebody had seen before.
"""

from typing import Any

from actors.simulation.evidence import Asked, Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import decoded
from actors.simulation.told import AMOUNTS

_CLAIMS = ("refund", "dispute", "payout", "case")
_PROVIDERS = ("providerA", "providerB")


def views_equal_replay(evidence: Evidence) -> list[str]:
    """State and amounts in every answer about a payment are those of one prefix of its entries; a
    look that began after another answer came sees no less than that one."""
    found = []
    shown: dict[str, list[tuple[Asked, int, int]]] = {}
    for asked in evidence.asked:
        view = _payment_in(asked)
        if view is None:
            continue
        payment = evidence.told.payments.get(str(view["id"]))
        what = f"{view['id']}: {asked.method} {asked.path} showed"
        if payment is None:
            found.append(f"{what} a payment that the ledger does not know")
            continue
        seen = (str(view["state"]), *(view.get(name) for name in AMOUNTS))
        places = [at for at, told in enumerate(payment.history) if told == seen]
        if not places:
            found.append(f"{what} {seen}, which the ledger never told ({payment.first.place})")
        else:
            shown.setdefault(payment.id, []).append((asked, places[0], places[-1]))
    for views in shown.values():
        found += _never_older(views)
    return found + _claims_shown(evidence)


def _claims_shown(evidence: Evidence) -> list[str]:
    """Refunds, disputes, payouts and cases are shown in a state that they had, too. A 202 about a
    dispute shows what is no entry yet, and a provider shows its own."""
    found = []
    for asked in evidence.asked:
        shown = decoded(asked.answer) if asked.status in (200, 201) else None
        if not isinstance(shown, dict) or shown.get("object") not in _CLAIMS or _is_theirs(asked):
            continue
        what = f"{shown.get('id')}: {asked.method} {asked.path} showed {shown.get('state')}"
        claim = evidence.told.claims.get(str(shown.get("id")))
        if claim is None:
            found.append(f"{what}, and the ledger does not know it")
        elif shown.get("state") not in claim.history:
            found.append(f"{what}, which it never was ({claim.first.place})")
    return found


def _is_theirs(asked: Asked) -> bool:
    """Whether a provider answered, at its own door."""
    return asked.path.startswith(("/provider-", "/providers/"))


def _payment_in(asked: Asked) -> dict[str, Any] | None:
    """The payment that an answer shows, if it shows one."""
    if asked.status not in (200, 201, 202):
        return None
    shown = decoded(asked.answer)
    is_payment = isinstance(shown, dict) and shown.get("object") == "payment_intent"
    return shown if is_payment and "state" in shown else None


def _never_older(views: list[tuple[Asked, int, int]]) -> list[str]:
    """Only fresh looks count: an answer that is given again shows what was."""
    looks = sorted(views, key=lambda view: view[0].at_ms)
    found = []
    for asked, _, newest in looks:
        if asked.method != "GET":
            continue
        before = [
            first
            for earlier, first, _ in views
            if earlier.answered_ms is not None and earlier.answered_ms < asked.at_ms
        ]
        if before and newest < max(before):
            what = f"{asked.path} at {asked.at_ms} ms showed less than an answer before it"
            found.append(what)
    return found


def provider_views_are_new(evidence: Evidence) -> list[str]:
    """At rest, what people look at shows each provider's breaker as the ledger tells it."""
    found = []
    states = dict.fromkeys(_PROVIDERS, "CLOSED")
    for entry in evidence.books.entries:
        state = _BREAKER.get(entry.fact.type)
        if state is not None:
            states[entry.fact.ref] = state
    for provider, state in states.items():
        path = f"data/providers/{provider}_state.json"
        view = evidence.books.json(path)
        if view is None and "gateway" not in evidence.live:
            continue
        shown = view["breaker"]["state"] if view else None
        if shown != state or (view and view["provider"] != provider):
            found.append(f"{provider}: shown {shown}, and the ledger says {state} ({path}:1)")
    return found


_BREAKER = {
    "provider.breaker_opened": "OPEN",
    "provider.half_opened": "HALF_OPEN",
    "provider.closed": "CLOSED",
}

INVARIANTS = (
    Invariant("I9", "every view is a fold of the ledger", views_equal_replay),
    Invariant("I9b", "a provider's view is new", provider_views_are_new, needs_rest=True),
)
