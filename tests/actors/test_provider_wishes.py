"""Holder names and amounts that decide a charge at providerB, and what the log is told of it."""

import msgspec
import pytest

from actors.provider.core import Provider
from actors.provider.seals import HpkeUnseal
from actors.vault.cipher import Card
from actors.vault.seals import sealed_card
from payrail.domain.declines import default_declines
from payrail.domain.fault_rules import FaultRule
from payrail.domain.testamounts import decline_of, processor_code
from payrail.domain.testcards import TEST_CARDS
from payrail.domain.testnames import TEST_NAMES
from payrail.security.sealing import keypair_of, public_json, read_public, seal
from tests.actors.pure import NOON_MS, Played
from tests.actors.sealed import (
    DECLINED,
    GENERATED,
    GOOD,
    Drawer,
    ask,
    charge,
    claim,
    give_back,
    inject,
    notes,
    said,
    truths,
)

WORDS = [name for name in TEST_NAMES if name not in ("APPROVED", "PENDING", "ERROR")]


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


def played(drawer: Drawer, name: str = "providerB") -> Played:
    actor = {"providerA": "provider-a", "providerB": "provider-b"}[name]
    return Played(Provider(actor, name, unseal=drawer, seed=42))


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("number", [GOOD, GENERATED])
def test_a_name_declines_at_b_with_its_code(drawer: Drawer, word: str, number: str):
    """A test card too: it is what its developer wishes for. The log names word and door."""
    step = played(drawer).tell("charge", charge(drawer.put(number, holder=word)))
    assert (said(step).result, said(step).code) == ("declined", TEST_NAMES[word].code)
    assert notes(step) == [("name", f"name:{word}", "authorize")]


def test_there_are_seventeen_names_and_each_code_has_a_row():
    """Numbers 0 to 16 without a gap; every decline is in our table."""
    assert [name.number for name in TEST_NAMES.values()] == list(range(17))
    said_codes = {TEST_NAMES[word].code for word in WORDS}
    amounts = {decline_of(number) for number in (*range(2000, 3001), 5001)}
    cards = {card.decline_code for card in TEST_CARDS.values() if card.decline_code}
    assert said_codes | amounts | cards | {"settlement_declined"} <= default_declines().keys()


def test_an_approved_name_approves_whatever_the_card_says(drawer: Drawer):
    """Its truth tells that the approval was asked for."""
    step = played(drawer).tell("charge", charge(drawer.put(DECLINED, holder="APPROVED")))
    assert said(step).result == "approved"
    assert [post.record.fault for post in step.posts] == ["name:APPROVED"]


def test_providera_takes_no_notice_of_names_and_amounts(drawer: Drawer):
    """They are B's manners."""
    provider = played(drawer, "providerA")
    approved = charge(drawer.put(GOOD, holder="DECLINED"), amount=200_100)
    assert said(provider.tell("charge", approved)).result == "approved"


@pytest.mark.parametrize("holder", ["declined", "DECLINED ", "", "A DECLINED"])
def test_only_the_exact_word_counts(drawer: Drawer, holder: str):
    """People may be called nearly so."""
    step = played(drawer).tell("charge", charge(drawer.put(GOOD, holder=holder)))
    assert (said(step).result, notes(step)) == ("approved", [])


def test_a_pending_name_is_received_and_charged_later(drawer: Drawer):
    """Asks hear pending and fence nothing; a minute of business time later it is approved."""
    provider = played(drawer)
    step = provider.tell("charge", charge(drawer.put(GENERATED, holder="PENDING")))
    (timer,) = step.timers
    assert (said(step).result, timer.business, truths(provider)) == ("pending", True, [])
    assert notes(step) == [("name", "name:PENDING", "authorize")]
    assert ask(provider).result == "pending"
    provider.business_ms = timer.due_ms
    done = provider.tell(timer.kind, timer.body, sender="timer")
    assert (said(done).result, notes(done)) == ("approved", [])
    assert [post.record.fault for post in done.posts] == ["name:PENDING"]
    assert provider.replayed() == provider.state


def test_an_error_name_says_nothing_of_the_call(drawer: Drawer):
    """Ambiguous; the ask finds nothing and fences."""
    provider = played(drawer)
    step = provider.tell("charge", charge(drawer.put(GOOD, holder="ERROR")))
    assert (said(step).result, said(step).code) == ("ambiguous", "error")
    assert notes(step) == [("name", "name:ERROR", "authorize")]
    assert (ask(provider).result, truths(provider)) == ("fenced", [])


def test_a_drill_lies_over_a_name(drawer: Drawer):
    """First the drill's way, then the name's word."""
    provider = played(drawer)
    inject(provider, operation="authorize", do="slow:1000", count=1)
    step = provider.tell("charge", charge(drawer.put(GOOD, holder="REFERRAL")))
    (timer,) = step.timers
    done = provider.tell(timer.kind, timer.body, sender="timer")
    assert (notes(step), notes(done)) == (
        [("rule", "slow:1000", "authorize")],
        [("name", "name:REFERRAL", "authorize")],
    )
    assert said(done).code == "call_issuer"


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        (200_000, "do_not_honor"),
        (200_199, "insufficient_funds"),
        (204_600, "generic_decline"),
        (299_999, "do_not_honor"),
        (300_050, "processing_error"),
        (500_100, "not_permitted"),
    ],
)
def test_an_amount_declines_a_generated_card_at_b(drawer: Drawer, amount: int, code: str):
    """The whole part is the processor's code; a documented card pays it all the same."""
    provider = played(drawer)
    step = provider.tell("charge", charge(drawer.put(GENERATED), amount=amount))
    good = provider.tell("charge", charge(drawer.put(GOOD), "pi_2.1", amount=amount))
    assert (said(step).result, said(step).code) == ("declined", code)
    assert notes(step) == [("amount", f"amount:{amount // 100}", "authorize")]
    assert (said(good).result, notes(good)) == ("approved", [])


def test_a_settlement_that_is_declined_holds_and_can_be_given_back(drawer: Drawer):
    """4001: authorized, captured by nobody, reversed as always."""
    provider = played(drawer)
    held = provider.tell("charge", charge(drawer.put(GENERATED), amount=400_100))
    taken = provider.tell("capture", claim(400_100))
    back = provider.tell("reverse", give_back(400_100))
    assert [said(step).result for step in (held, taken, back)] == [
        "approved",
        "declined",
        "approved",
    ]
    assert (said(taken).code, notes(taken)) == (
        "settlement_declined",
        [("amount", "amount:4001", "capture")],
    )
    assert [operation for operation, _, _ in truths(provider)] == ["authorize", "reverse"]


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (199_999, "USD", None),
        (300_099, "EUR", 3000),
        (300_100, "USD", None),
        (400_199, "USD", 4001),
        (400_200, "USD", None),
        (500_101, "USD", None),
        (2_001_000, "KWD", 2001),
        (2_001, "JPY", None),
    ],
)
def test_an_amount_is_read_in_major_units(amount: int, currency: str, code: int | None):
    """By the currency's decimals; one without decimals has no such amounts."""
    assert processor_code(amount, currency) == code


def test_a_fault_of_the_request_goes_before_every_rule(drawer: Drawer):
    """It costs no rule a use, touches its one call, and is told as the header's."""
    provider = played(drawer)
    inject(provider, operation="*", do="down", count=1)
    asked = charge(drawer.put(GOOD))
    asked.fault = FaultRule("authorize", "decline:lost_card")
    step = provider.tell("charge", asked)
    assert (said(step).code, notes(step)) == (
        "lost_card",
        [("header", "decline:lost_card", "authorize")],
    )
    after = provider.tell("charge", charge(drawer.put(GOOD), "pi_2.1"))
    assert (said(after).code, notes(after)) == ("not_accepted", [("rule", "down", "authorize")])


def test_a_fault_of_the_notice_is_told_as_the_webhooks(drawer: Drawer):
    """The call itself goes as always."""
    provider = played(drawer)
    asked = charge(drawer.put(GOOD))
    asked.fault = FaultRule("webhook", "late_webhook:60")
    step = provider.tell("charge", asked)
    assert (said(step).result, notes(step)) == (
        "approved",
        [("header", "late_webhook:60", "webhook")],
    )
    assert [timer.due_ms for timer in step.timers] == [NOON_MS + 60_000]


def test_only_words_of_the_table_leave_the_vault():
    """A person's name does not; the seal of a nameless card is as it was before."""
    assert msgspec.to_builtins(sealed_card(Card(GOOD, 1, 2030, "Ada Lovelace"))) == {
        "n": GOOD,
        "m": 1,
        "y": 2030,
    }
    assert sealed_card(Card(GOOD, 1, 2030, "PENDING")).h == "PENDING"


@pytest.mark.parametrize(("plain", "holder"), [(b"", ""), (b',"h":"ERROR"', "ERROR")])
def test_a_seal_without_a_name_still_opens(plain: bytes, holder: str):
    """Those that were made before have none."""
    keys = keypair_of(bytes(32))
    public, key_id = read_public(public_json(keys))
    card = b'{"n":"%b","m":1,"y":2030%b}' % (GOOD.encode(), plain)
    sealed = seal(public, key_id, card, provider="providerB", reference="pi_1.1")
    opened = HpkeUnseal(keys, "providerB").open_seal(sealed, "pi_1.1")
    assert (opened.number, opened.holder) == (GOOD, holder)
