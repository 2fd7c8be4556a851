"""A provider: what it does, what it says, and what it says when it is told to fail."""

from typing import Any

import msgspec
import pytest

from actors.provider.answers import APPROVED_SHARES
from actors.provider.core import Provider
from actors.provider.faults import parse_rule
from actors.provider.seals import PresentedCard, SealUnopened
from payrail.domain.cards import luhn_digit
from payrail.domain.messages import (
    Ask,
    Charge,
    ClaimHold,
    ClearFaults,
    InjectFault,
    ReverseHold,
    TakeUp,
)
from payrail.errors import LineDamaged, RequestError
from tests.actors.pure import NOON_MS, Played

GOOD = "4242424242424242"
DECLINED = "4000000000009995"
GENERATED = "400012345678901" + luhn_digit("400012345678901")
DAY_MS = 86_400_000


class Drawer:
    """Seals are keys of a drawer that nobody but this test can open."""

    def __init__(self) -> None:
        self.cards: dict[str, PresentedCard] = {}

    def put(self, number: str, year: int = 2030) -> str:
        name = f"sealed-{len(self.cards)}"
        self.cards[name] = PresentedCard(number, 12, year)
        return name

    def open_seal(self, sealed: str, reference: str) -> PresentedCard:
        if sealed not in self.cards:
            raise SealUnopened("not of this drawer")
        return self.cards[sealed]


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def provider(drawer: Drawer) -> Played:
    return Played(Provider("provider-a", "providerA", unseal=drawer, seed=42))


def charge(sealed: str, reference: str = "pi_1.1", amount: int = 1099, capture: bool = False):
    payment = reference.partition(".")[0]
    return Charge(payment, reference, "m_001", "tok_1", amount, "USD", sealed, capture)


def claim(amount: int, reference: str = "pi_1.2") -> ClaimHold:
    return ClaimHold("pi_1", reference, "m_001", "pi_1.1", amount, "USD", f"cap_{reference}")


def give_back(amount: int, reference: str = "pi_1.3") -> ReverseHold:
    return ReverseHold("pi_1", reference, "m_001", "pi_1.1", amount, "USD", f"rev_{reference}")


def ask(provider: Played, reference: str = "pi_1.1"):
    return said(provider.tell("ask", Ask("pi_1", reference, "authorize", 1)))


def inject(provider: Played, **rule):
    return provider.tell("fault.inject", InjectFault(rule), sender="frontdoor", reply_to="req_1")


def said(step):
    (send,) = step.out
    assert (send.to, send.kind) == ("gateway", "outcome")
    return send.body


def truths(provider: Played) -> list[tuple[str, str, int]]:
    records: list[Any] = [post.record for step in provider.steps for post in step.posts]
    return [(truth.operation, truth.reference, truth.amount) for truth in records]


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


@pytest.mark.parametrize(
    ("do", "result", "code"),
    [
        ("down", "refused", "not_accepted"),
        ("error", "refused", "not_accepted"),
        ("http:500", "ambiguous", "http_500"),
        ("http:504", "ambiguous", "http_504"),
        ("reset", "ambiguous", "reset"),
        ("garbage", "ambiguous", "garbage"),
        ("decline:do_not_honor", "declined", "do_not_honor"),
    ],
)
def test_a_drill_ends_as_its_rule_says(provider: Played, drawer: Drawer, do, result, code):
    """Counted once, it touches one call, has no effect, and is gone."""
    inject(provider, operation="authorize", do=do, count=1)
    outcome = said(provider.tell("charge", charge(drawer.put(GOOD))))

    assert (outcome.result, outcome.code) == (result, code)
    assert truths(provider) == []
    assert provider.state.faults == {}
    assert said(provider.tell("charge", charge(drawer.put(GOOD), "pi_2.1"))).result == "approved"


def test_a_hanging_charge_is_pending_whenever_asked(provider: Played, drawer: Drawer):
    """Taken up, it never answers by itself, and it is not fenced."""
    inject(provider, operation="*", do="hang", count=1)

    assert provider.tell("charge", charge(drawer.put(GOOD))).out == []
    assert [ask(provider).result for _ in range(2)] == ["pending", "pending"]
    assert truths(provider) == []


def test_a_charge_that_approves_and_hangs_is_found_by_an_ask(provider: Played, drawer: Drawer):
    """The effect is real, the silence too."""
    inject(provider, operation="authorize", do="approve_then_hang", count=1)
    step = provider.tell("charge", charge(drawer.put(GOOD)))

    assert step.out == []
    assert step.posts[0].record.fault == "approve_then_hang"
    assert (ask(provider).result, truths(provider)) == (
        "approved",
        [("authorize", "pi_1.1", 1099)],
    )


def slow_charge(provider: Played, drawer: Drawer, **rule):
    """A charge put off by 20 s; the result is its timer."""
    inject(provider, operation="authorize", do="slow:20000", count=1, **rule)
    step = provider.tell("charge", charge(drawer.put(GOOD)), deadline_ms=NOON_MS + 30_000)
    (timer,) = step.timers
    assert (step.out, timer.kind, timer.due_ms) == ([], "charge.take_up", NOON_MS + 20_000)
    return timer


def test_a_slow_charge_happens_when_its_time_comes(provider: Played, drawer: Drawer):
    """Nobody asked before, so it is taken up, once."""
    timer = slow_charge(provider, drawer)
    provider.wire_ms = timer.due_ms

    assert said(provider.tell(timer.kind, timer.body, sender="timer")).result == "approved"
    assert provider.tell(timer.kind, timer.body, sender="timer").out == []
    assert len(truths(provider)) == 1


def test_a_slow_charge_that_was_asked_about_is_refused(provider: Played, drawer: Drawer):
    """The ask fences it, and at its time the provider says so."""
    timer = slow_charge(provider, drawer)
    assert ask(provider).result == "fenced"
    provider.wire_ms = timer.due_ms
    outcome = said(provider.tell(timer.kind, timer.body, sender="timer"))

    assert (outcome.result, outcome.code, truths(provider)) == ("refused", "fenced", [])
    assert provider.state.waiting == {}


def test_an_unfenced_slow_charge_happens_all_the_same(provider: Played, drawer: Drawer):
    """With fence false the ask is told that nothing will happen, and the approval comes late."""
    timer = slow_charge(provider, drawer, fence=False)
    assert ask(provider).result == "fenced"
    provider.wire_ms = timer.due_ms

    assert said(provider.tell(timer.kind, timer.body, sender="timer")).result == "approved"


def test_a_slow_charge_past_its_deadline_is_refused(provider: Played, drawer: Drawer):
    """A card message that waited too long is not charged."""
    timer = slow_charge(provider, drawer)
    provider.wire_ms = NOON_MS + 30_001
    outcome = said(provider.tell("charge.take_up", TakeUp("pi_1.1"), sender="timer"))

    assert (outcome.result, outcome.code) == ("refused", "expired")
    assert timer.id == "take_up:pi_1.1"


def test_a_wrong_amount_is_told_and_true(provider: Played, drawer: Drawer):
    """What is held is what the outcome says, and giving it back empties the hold."""
    inject(provider, operation="authorize", do="wrong_amount", count=1)
    outcome = said(provider.tell("charge", charge(drawer.put(GOOD))))
    back = said(provider.tell("reverse", give_back(1099)))

    assert (outcome.result, outcome.amount) == ("approved", 1098)
    assert (back.result, back.amount) == ("approved", 1098)


def test_a_dead_line_answers_no_ask_and_fences_nothing(provider: Played, drawer: Drawer):
    """While the status call is down, an ask is told to come again."""
    inject(provider, operation="*", do="down")
    assert ask(provider).result == "pending"
    cleared = provider.tell("fault.clear", ClearFaults(), sender="frontdoor", reply_to="req_2")

    assert cleared.replies[0].body == {"cleared": 1}
    assert said(provider.tell("charge", charge(drawer.put(GOOD)))).result == "approved"


def test_chance_spares_the_documented_cards(provider: Played, drawer: Drawer):
    """A rule with a probability touches generated cards only, always the same ones."""
    inject(provider, operation="*", do="down", probability=0.5)
    good = [said(provider.tell("charge", charge(drawer.put(GOOD), f"pi_{n}.1"))) for n in range(20)]
    rest = [
        said(provider.tell("charge", charge(drawer.put(GENERATED), f"pi_{n}.1")))
        for n in range(20, 120)
    ]

    assert {outcome.result for outcome in good} == {"approved"}
    assert 30 < sum(outcome.code == "not_accepted" for outcome in rest) < 70


@pytest.mark.parametrize(
    ("match", "is_touched"),
    [
        ({"merchant": "m_001", "token": "tok_1", "payment": "pi_1", "amount": 1099}, True),
        ({"merchant": "m_002"}, False),
        ({"amount": 1}, False),
    ],
)
def test_a_rule_touches_only_what_it_matches(provider: Played, drawer: Drawer, match, is_touched):
    """Every named property has to fit."""
    inject(provider, operation="authorize", do="down", match=match)
    outcome = said(provider.tell("charge", charge(drawer.put(GOOD))))

    assert (outcome.result == "refused") is is_touched


def test_an_injected_rule_is_shown_as_it_is(provider: Played):
    """201 with the id of the drill; by hand there is nobody to answer."""
    rule = {"operation": "statement", "do": "settlement_mismatch:amount", "count": 1}
    (reply,) = inject(provider, **rule).replies
    by_hand = provider.tell("fault.inject", InjectFault(rule), sender="hand")

    assert (reply.status, reply.to, reply.re) == (201, "frontdoor", "req_1")
    assert (reply.body["object"], reply.body["rule"]) == ("fault", rule)
    assert by_hand.replies == []
    assert len(provider.state.faults) == 2


def test_a_drill_that_is_asked_for_again_is_one_drill(provider: Played):
    """A front door asks again after our rebirth, in case we died before we answered."""
    rule = {"operation": "authorize", "do": "down", "count": 1}
    first, again = (inject(provider, **rule).replies[0].body for _ in range(2))

    assert first == again
    assert len(provider.state.faults) == 1


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ({}, {"operation", "do"}),
        ({"operation": "authorise", "do": "down"}, {"operation"}),
        ({"operation": "*", "do": "http:501"}, {"do"}),
        ({"operation": "*", "do": "slow"}, {"do"}),
        ({"operation": "*", "do": "slow:9999999"}, {"do"}),
        ({"operation": "*", "do": "down:1"}, {"do"}),
        ({"operation": "*", "do": ["down"]}, {"do"}),
        ({"operation": "statement", "do": "hang"}, {"do"}),
        ({"operation": "capture", "do": "duplicate_webhook"}, {"do"}),
        ({"operation": "*", "do": "down", "count": 0}, {"count"}),
        ({"operation": "*", "do": "down", "count": True}, {"count"}),
        ({"operation": "*", "do": "down", "probability": 1.5}, {"probability"}),
        ({"operation": "*", "do": "down", "fence": 1}, {"fence"}),
        ({"operation": "*", "do": "down", "match": {"card": GOOD}}, {"match"}),
        ({"operation": "*", "do": "down", "match": {"token": GOOD}}, {"match.token"}),
        ({"operation": ["*"], "do": "down", "pan": 1, GOOD: 1}, {"operation", "pan", "?"}),
    ],
)
def test_a_rule_that_is_none_names_its_wrong_fields(rule, fields):
    """422, every field at once, and never the value."""
    with pytest.raises(RequestError) as refused:
        parse_rule(rule)
    assert refused.value.status == 422
    assert {error["field"] for error in refused.value.errors} == fields
    assert GOOD not in str(refused.value.errors)


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
