"""How facts change what is remembered of providers: breakers, answers, and the canary.

Never: decides. A fold runs again on every recovery, so it may not fail.
"""

from actors.gateway.facts import CallJudged, CanarySet, ChargeAnswered, ChargeOffered
from actors.gateway.state import GatewayState
from payrail.domain.breaker import Breaker, move, note, offer
from payrail.domain.ledger import BreakerOpened, CanaryRolledBack, LedgerEntry
from payrail.domain.timestamps import parse_iso
from payrail.domain.trials import copied, noted

ProviderFact = CallJudged | ChargeOffered | ChargeAnswered | CanarySet


def fold_fact(state: GatewayState, event: ProviderFact) -> None:
    """Fold a fact of the gateway's own."""
    match event:
        case CallJudged(provider, at_ms, failed):
            note(_breaker(state, provider), at_ms, failed=failed)
        case ChargeOffered(provider):
            offer(_breaker(state, provider))
        case ChargeAnswered(provider, authorized):
            _answered(state, provider, authorized=authorized)
        case CanarySet(canary):
            state.canary = None if canary is None else copied(canary)


def fold_entry(state: GatewayState, entry: LedgerEntry) -> None:
    """Fold an entry of a provider."""
    breaker = _breaker(state, entry.ref)
    if not isinstance(entry.data, CanaryRolledBack):
        fold_breaker(breaker, entry)
        return
    breaker.rollbacks += 1
    if state.canary is not None:
        state.canary.rolled_back_ms = parse_iso(entry.data.at)


def fold_breaker(breaker: Breaker, entry: LedgerEntry) -> None:
    """Fold a move of a breaker."""
    at_ms = probe_ms = 0
    if isinstance(entry.data, BreakerOpened):
        at_ms, probe_ms = parse_iso(entry.data.opened_at), parse_iso(entry.data.next_probe_at)
    move(breaker, entry.type, at_ms=at_ms, probe_ms=probe_ms)


def _breaker(state: GatewayState, provider: str) -> Breaker:
    return state.breakers.setdefault(provider, Breaker())


def _answered(state: GatewayState, provider: str, *, authorized: bool) -> None:
    state.answers[provider] = noted(state.answers.get(provider, ""), authorized=authorized)
    if state.canary is not None and state.canary.rolled_back_ms is None:
        state.canary.note(provider, authorized=authorized)
