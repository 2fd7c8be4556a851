"""A provider that wants the cardholder first: which cards, once, and nothing charged before."""

import msgspec
import pytest

from actors.provider.core import Provider
from payrail.domain.messages import Charge, TakeUp
from payrail.domain.testcards import TEST_CARDS
from payrail.domain.timestamps import iso
from tests.actors.pure import NOON_MS, Played
from tests.actors.sealed import DAY_MS, Drawer, ask, charge, inject, said, truths

ALWAYS = "4000002760003184"
THEN_DECLINED = "4000008400001629"
ASKING = sorted(number for number, card in TEST_CARDS.items() if card.challenge)


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture(params=["provider-a", "provider-b"])
def provider(request: pytest.FixtureRequest, drawer: Drawer) -> Played:
    name: str = request.param
    public = {"provider-a": "providerA", "provider-b": "providerB"}[name]
    return Played(Provider(name, public, unseal=drawer, seed=42))


def signed_in(order: Charge, action: str, reference: str = "pi_1.2") -> Charge:
    """The charge that follows a challenge that was passed."""
    return msgspec.structs.replace(order, reference=reference, authenticated=action)


@pytest.mark.parametrize("number", ASKING)
def test_these_cards_ask_for_their_holder_at_both_providers(
    provider: Played, drawer: Drawer, number: str
) -> None:
    """Told twice or asked about, it is the same action; no truth, no notice, nothing to fence."""
    order = charge(drawer.put(number))
    first, second = (said(provider.tell("charge", order, sender="vault")) for _ in range(2))
    assert first == second
    assert (first.result, first.provider_reference) == ("requires_action", None)
    assert first.action.expires_at == iso(NOON_MS + 15 * 60_000)
    assert msgspec.structs.replace(ask(provider), asked=False) == first
    assert truths(provider) == []
    assert not any(step.errands for step in provider.steps)
    assert provider.replayed() == provider.state


def test_a_passed_challenge_lets_one_charge_happen(provider: Played, drawer: Drawer) -> None:
    """Another charge with the same action asks anew."""
    order = charge(drawer.put(ALWAYS))
    action = said(provider.tell("charge", order)).action.id
    paid = signed_in(order, action)
    assert said(provider.tell("charge", paid)).result == "approved"
    assert said(provider.tell("charge", paid)).result == "approved"
    assert truths(provider) == [("authorize", "pi_1.2", 1099)]
    again = said(provider.tell("charge", signed_in(order, action, "pi_1.3")))
    assert again.result == "requires_action"
    assert again.action.id != action
    assert provider.replayed() == provider.state


def test_an_action_is_good_for_its_own_charge_alone(provider: Played, drawer: Drawer) -> None:
    """Another amount, another payment, or a name that was never given: the holder is asked."""
    order = charge(drawer.put(ALWAYS))
    action = said(provider.tell("charge", order)).action.id
    more = msgspec.structs.replace(signed_in(order, action), amount=2000)
    other = signed_in(charge(order.sealed, "pi_2.1"), action, "pi_2.2")
    made_up = signed_in(order, "act_never", "pi_1.3")
    for attempt in (more, other, made_up):
        assert said(provider.tell("charge", attempt)).result == "requires_action"
    assert truths(provider) == []


def test_a_card_is_declined_only_after_its_challenge(provider: Played, drawer: Drawer) -> None:
    """As documented: the challenge is passed, then the issuer says no."""
    order = charge(drawer.put(THEN_DECLINED))
    action = said(provider.tell("charge", order)).action.id
    outcome = said(provider.tell("charge", signed_in(order, action)))
    assert (outcome.result, outcome.code, outcome.action) == ("declined", "generic_decline", None)


def test_an_expired_card_and_a_declining_drill_ask_nobody(provider: Played, drawer: Drawer) -> None:
    provider.business_ms = NOON_MS + 4 * 366 * DAY_MS
    assert said(provider.tell("charge", charge(drawer.put(ALWAYS, 2026)))).code == "expired_card"
    inject(provider, operation="authorize", do="decline:do_not_honor", count=1)
    order = charge(drawer.put(ALWAYS), "pi_2.1")
    assert said(provider.tell("charge", order)).code == "do_not_honor"


def test_a_silent_provider_tells_of_its_challenge_when_it_is_asked(
    provider: Played, drawer: Drawer
) -> None:
    inject(provider, operation="authorize", do="approve_then_hang", count=1)
    assert provider.tell("charge", charge(drawer.put(ALWAYS))).out == []
    assert ask(provider).result == "requires_action"


def test_a_fenced_charge_asks_nobody(provider: Played, drawer: Drawer) -> None:
    """Whoever asked first was told that it never happens; a slow one fares the same."""
    assert ask(provider).result == "fenced"
    outcome = said(provider.tell("charge", charge(drawer.put(ALWAYS))))
    assert (outcome.result, outcome.code) == ("refused", "fenced")
    inject(provider, operation="authorize", do="slow:1000", count=1)
    assert provider.tell("charge", charge(drawer.put(ALWAYS), "pi_2.1")).out == []
    provider.wire_ms += 1000
    assert said(provider.tell("charge.take_up", TakeUp("pi_2.1"))).result == "requires_action"
