"""A provider: what it does, and what it says."""

import msgspec
import pytest

from actors.provider.answers import APPROVED_SHARES
from actors.provider.core import Provider
from payrail.domain.messages import (
    Ask,
    TakeUp,
)
from payrail.errors import LineDamaged
from tests.actors.pure import NOON_MS, Played
from tests.actors.sealed import (
    DAY_MS,
    DECLINED,
    GENERATED,
    GOOD,
    Drawer,
    ask,
    charge,
    claim,
    give_back,
    inject,
    said,
    truths,
)


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def provider(drawer: Drawer) -> Played:
    return Played(Provider("provider-a", "providerA", unseal=drawer, seed=42))


def test_an_approved_charge_is_one_line_of_truth(provider: Played, drawer: Drawer):
    """Told twice, it is the same outcome and no second effect."""
    order = charge(drawer.put(GOOD))
    first, second = (said(provider.tell("charge", order, sender="vault")) for _ in range(2))

    assert first == second
    assert (first.result, first.code, first.operation) == ("approved", "approved", "authorize")
    assert first.provider == "providerA"
    assert first.provider_reference.startswith("ch_")
    assert truths(provider) == [("authorize", "pi_1.1", 1099)]


def test_a_decline_is_an_answer_without_an_effect(provider: Played, drawer: Drawer):
    """A documented card always ends as its table says, and leaves no truth."""
    outcome = said(provider.tell("charge", charge(drawer.put(DECLINED)), sender="vault"))

    assert (outcome.result, outcome.code) == ("declined", "insufficient_funds")
    assert outcome.provider_reference is None
    assert truths(provider) == []


def test_a_card_is_good_through_the_last_day_of_its_month(provider: Played, drawer: Drawer):
    """Expiry is a matter of business time."""
    provider.business_ms = NOON_MS + 324 * DAY_MS  # 2026-12-30
    assert said(provider.tell("charge", charge(drawer.put(GOOD, 2026)))).result == "approved"
    provider.business_ms += 2 * DAY_MS
    outcome = said(provider.tell("charge", charge(drawer.put(GOOD, 2026), "pi_2.1")))

    assert (outcome.result, outcome.code) == ("declined", "expired_card")


def test_generated_cards_are_mostly_approved_and_always_alike(drawer: Drawer):
    """The same seed gives the same world; another seed another one."""
    worlds = []
    for seed in (42, 42, 43):
        provider = Played(Provider("provider-a", "providerA", unseal=drawer, seed=seed))
        orders = [charge(drawer.put(GENERATED), f"pi_{n}.1") for n in range(400)]
        worlds.append([said(provider.tell("charge", order)).code for order in orders])

    assert worlds[0] == worlds[1] != worlds[2]
    share = worlds[0].count("approved") / 400
    assert abs(share - APPROVED_SHARES["providerA"]) < 0.04


def test_a_late_or_broken_charge_is_refused_without_an_effect(provider: Played, drawer: Drawer):
    """Past its deadline, or sealed for somebody else: safe refusals, fenced when asked about."""
    late = provider.tell("charge", charge(drawer.put(GOOD)), deadline_ms=NOON_MS - 1)
    broken = provider.tell("charge", charge("sealed-elsewhere", "pi_2.1"))

    assert (said(late).result, said(late).code) == ("refused", "expired")
    assert (said(broken).result, said(broken).code) == ("refused", "seal_broken")
    assert truths(provider) == []
    assert ask(provider).result == "fenced"


def test_an_ask_about_the_unknown_fences_it_for_good(provider: Played, drawer: Drawer):
    """The charge that arrives after the ask cannot happen any more."""
    answer = ask(provider)
    late = said(provider.tell("charge", charge(drawer.put(GOOD))))

    assert (answer.result, answer.asked) == ("fenced", True)
    assert (late.result, late.code, late.asked) == ("refused", "fenced", False)
    assert truths(provider) == []
    assert ask(provider).result == "fenced"


def test_an_ask_about_the_finished_tells_its_outcome(provider: Played, drawer: Drawer):
    """The same outcome, marked as asked for."""
    outcome = said(provider.tell("charge", charge(drawer.put(GOOD))))

    assert ask(provider) == msgspec.structs.replace(outcome, asked=True)


def test_a_hold_is_captured_in_parts_and_its_rest_given_back(provider: Played, drawer: Drawer):
    """Never more than is held, and each reference once."""
    provider.tell("charge", charge(drawer.put(GOOD)))
    assert said(provider.tell("capture", claim(1000))).result == "approved"
    assert said(provider.tell("capture", claim(1000))).result == "approved"  # the same reference
    refused = said(provider.tell("capture", claim(100, "pi_1.4")))
    assert (refused.result, refused.code) == ("declined", "amount_exceeds_hold")
    assert said(provider.tell("reverse", give_back(99))).result == "approved"
    empty = said(provider.tell("reverse", give_back(99, "pi_1.5")))

    assert (empty.result, empty.code) == ("declined", "already_reversed")
    assert truths(provider) == [
        ("authorize", "pi_1.1", 1099),
        ("capture", "pi_1.2", 1000),
        ("reverse", "pi_1.3", 99),
    ]


def test_a_charge_that_captures_has_two_effects(provider: Played, drawer: Drawer):
    """An authorization and its capture, so nothing is left to claim."""
    provider.tell("charge", charge(drawer.put(GOOD), capture=True))

    assert [operation for operation, _, _ in truths(provider)] == ["authorize", "capture"]
    assert said(provider.tell("capture", claim(1))).code == "already_captured"


def test_another_payments_hold_cannot_be_claimed(provider: Played, drawer: Drawer):
    """A capture names the payment whose hold it takes."""
    provider.tell("charge", charge(drawer.put(GOOD)))
    foreign = msgspec.structs.replace(claim(1), payment_id="pi_2")

    assert said(provider.tell("capture", foreign)).code == "no_such_authorization"


def busy(drawer: Drawer) -> Played:
    """A provider that has seen a bit of everything."""
    provider = Played(Provider("provider-a", "providerA", unseal=drawer, seed=42))
    inject(provider, operation="authorize", do="slow:20000", match={"payment": "pi_7"}, count=2)
    inject(provider, operation="authorize", do="hang", match={"payment": "pi_8"})
    inject(provider, operation="capture", do="down", count=1)
    for number in (GOOD, DECLINED, GENERATED):
        sealed = drawer.put(number)
        for payment in (1, 7, 8):
            reference = f"pi_{payment}.1" if number == GOOD else f"pi_{payment}{number[-4:]}.1"
            provider.tell("charge", charge(sealed, reference), deadline_ms=NOON_MS + 30_000)
    provider.tell("capture", claim(500))
    provider.tell("capture", claim(500, "pi_1.5"))
    provider.tell("reverse", give_back(599))
    provider.tell("ask", Ask("pi_7", "pi_7.1", "authorize", 1))
    provider.tell("ask", Ask("pi_9", "pi_9.1", "authorize", 1))
    provider.tell("charge.take_up", TakeUp("pi_7.1"), sender="timer")
    return provider


def test_replay_and_documents_give_the_same_provider(drawer: Drawer):
    """The journal's bytes, or the document, are all that a provider is."""
    provider = busy(drawer)

    assert provider.replayed() == provider.state
    assert provider.actor.load(provider.snapshot()) == provider.state
    assert provider.state.operations["pi_1.1"].left == 0
    with pytest.raises(LineDamaged):
        provider.actor.read_event(b'{"type":"made.up"}')


def test_the_same_messages_give_the_same_steps():
    """Nothing but state, message and moment decides."""
    assert busy(Drawer()).steps == busy(Drawer()).steps


def test_no_card_number_leaves_a_provider(drawer: Drawer):
    """Neither a step, nor a document, nor a repr holds a number."""
    provider = busy(drawer)

    for number in (GOOD, DECLINED, GENERATED):
        assert number.encode() not in provider.everything()
        assert number not in repr(provider.steps)
        assert number not in repr(drawer.cards)
