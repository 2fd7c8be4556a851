"""A provider that is told to fail: what it does then, and what it says."""

import pytest

from actors.provider.core import Provider
from payrail.domain.fault_rules import parse_rule
from payrail.domain.messages import (
    ClearFaults,
    InjectFault,
    TakeUp,
)
from payrail.errors import RequestError
from tests.actors.pure import NOON_MS, Played
from tests.actors.sealed import (
    GENERATED,
    GOOD,
    Drawer,
    ask,
    charge,
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
