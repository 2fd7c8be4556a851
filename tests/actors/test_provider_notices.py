"""A provider's notices: when one is owed, how often it is posted, and what drills do to it."""

import msgspec
import pytest

from actors.provider.core import Provider
from actors.provider.notices import AGAIN_MS_MAX, EARLY_MS, HELD_MS_MAX
from payrail.domain.messages import Ask, InjectFault, TakeUp
from payrail.domain.words.providers import NoticePosted, RefundCapture
from payrail.runtime.actor import CancelTimer, Moment, SetTimer
from tests.actors.pure import NOON_MS, Played
from tests.actors.sealed import DECLINED, GOOD, Drawer, charge, claim, give_back


@pytest.fixture
def drawer() -> Drawer:
    return Drawer()


@pytest.fixture
def provider(drawer: Drawer) -> Played:
    return Played(Provider("provider-a", "providerA", unseal=drawer, seed=42))


def drill(provider: Played, do: str, operation: str = "webhook", **more) -> None:
    rule = {"operation": operation, "do": do, "count": 1, **more}
    provider.tell("fault.inject", InjectFault(rule), sender="frontdoor", reply_to="req")


def charged(provider: Played, drawer: Drawer, number: int = 1, card: str = GOOD):
    order = charge(drawer.put(card), f"pi_{number}.1")
    return provider.tell("charge", order, sender="vault")


def posts(step) -> list[str]:
    """References whose notices a step posts."""
    return [errand.body.notice.reference for errand in step.errands]


def taken(provider: Played, step, index: int = 0):
    notice_id = step.errands[index].body.notice.notice_id
    return provider.tell("notice.taken", NoticePosted(notice_id, 200), sender="errand")


def failed(provider: Played, step, status: int = 503):
    notice_id = step.errands[0].body.notice.notice_id
    return provider.tell("notice.failed", NoticePosted(notice_id, status), sender="errand")


def timer_of(step) -> SetTimer:
    (timer,) = [timer for timer in step.timers if isinstance(timer, SetTimer)]
    return timer


def fires(provider: Played, timer: SetTimer):
    provider.wire_ms = max(provider.wire_ms, timer.due_ms)
    return provider.tell(timer.kind, timer.body, sender="timer")


def test_an_effect_is_told_by_reply_and_by_notice(provider: Played, drawer: Drawer):
    """The same facts in both, with the ids that make them one."""
    step = charged(provider, drawer)
    (errand,), (send,) = step.errands, step.out
    told, outcome = errand.body.notice, send.body

    for name in ("reference", "operation", "result", "code", "provider", "provider_reference"):
        assert getattr(told, name) == getattr(outcome, name)
    assert (told.amount, told.currency) == (outcome.amount, outcome.currency)
    assert (told.operation_id, errand.body.at_ms) == ("pi_1.1", NOON_MS)
    assert errand.body.correlation_id == errand.correlation_id == "cor_1"

    captured = provider.tell("capture", claim(1099)).errands[0].body
    assert (captured.notice.operation_id, captured.original) == (
        "cap_pi_1.2",
        told.provider_reference,
    )


def test_what_was_taken_is_forgotten(provider: Played, drawer: Drawer):
    """Memory grows with what is owed, not with what was."""
    step = charged(provider, drawer)
    assert len(provider.state.notices) == 1
    assert provider.replayed() == provider.state
    taken(provider, step)
    assert provider.state.notices == {}
    assert taken(provider, step).events == []
    assert provider.replayed() == provider.state


def test_a_decline_is_told_too(provider: Played, drawer: Drawer):
    """It has an end, so it has a notice; it has no effect, so it has no truth."""
    step = charged(provider, drawer, card=DECLINED)
    told = step.errands[0].body.notice
    assert (told.result, told.code, told.provider_reference) == (
        "declined",
        "insufficient_funds",
        None,
    )
    assert step.posts == []


@pytest.mark.parametrize("do", ["down", "error", "http:500", "reset", "garbage", "hang"])
def test_what_did_not_happen_has_no_notice(provider: Played, drawer: Drawer, do: str):
    """Refused, broken or hung: there is nothing to tell."""
    drill(provider, do, "authorize")
    assert charged(provider, drawer).errands == []
    assert provider.state.notices == {}


def test_who_approves_and_hangs_sends_no_notice_either(provider: Played, drawer: Drawer):
    """Neither reply nor webhook: only an ask is answered."""
    drill(provider, "approve_then_hang", "authorize")
    step = charged(provider, drawer)
    assert (step.out, step.errands, len(step.posts)) == ([], [], 1)
    answer = provider.tell("ask", Ask("pi_1", "pi_1.1", "authorize", 1))
    assert (answer.out[0].body.result, answer.errands) == ("approved", [])


def test_a_fenced_reference_has_no_notice_and_a_repeated_call_no_second(
    provider: Played, drawer: Drawer
):
    """One fact, one notice."""
    provider.tell("ask", Ask("pi_1", "pi_1.1", "authorize", 1))
    assert charged(provider, drawer).errands == []
    assert posts(charged(provider, drawer, 2)) == ["pi_2.1"]
    assert charged(provider, drawer, 2).errands == []


def test_a_slow_call_is_told_when_it_happens(provider: Played, drawer: Drawer):
    """Not when it is taken in."""
    drill(provider, "slow:2000", "authorize", fence=False)
    assert charged(provider, drawer).errands == []
    provider.wire_ms += 2000
    step = provider.tell("charge.take_up", TakeUp("pi_1.1"), sender="timer")
    assert posts(step) == ["pi_1.1"]


def test_a_notice_that_nobody_took_is_tried_again_later_and_later(provider: Played, drawer: Drawer):
    """Half a second, doubling up to a minute, under the same id, for as long as it takes."""
    step, pauses, ids = charged(provider, drawer), [], set()
    for _ in range(10):
        ids.add(step.errands[0].body.notice.notice_id)
        again = failed(provider, step, 0)
        assert (again.errands, again.retries) == ([], 1)
        pauses.append(timer_of(again).due_ms - provider.wire_ms)
        step = fires(provider, timer_of(again))

    assert pauses == [500, 1000, 2000, 4000, 8000, 16000, 32000, *[AGAIN_MS_MAX] * 3]
    assert len(ids) == 1
    assert len({errand.id for s in provider.steps for errand in s.errands}) == 11
    taken(provider, step)
    assert provider.state.notices == {}


def test_a_reborn_provider_posts_what_was_under_way_and_only_that(provider: Played, drawer: Drawer):
    """The same errands under the same ids; what waits for a timer goes on waiting."""
    first, second = charged(provider, drawer, 1), charged(provider, drawer, 2)
    failed(provider, first)
    moment = Moment(NOON_MS, NOON_MS, "provider-a", 9, 0)
    reborn = provider.actor.opened(provider.replayed(), moment)
    assert reborn.errands == second.errands


def test_duplicate_webhook_is_taken_twice(provider: Played, drawer: Drawer):
    """The same notice once more, after it was taken."""
    drill(provider, "duplicate_webhook")
    first = charged(provider, drawer)
    second = taken(provider, first)
    assert second.errands[0].body == first.errands[0].body
    assert second.errands[0].id != first.errands[0].id
    assert taken(provider, second).errands == []
    assert (provider.state.notices, provider.state.faults) == ({}, {})


def test_late_webhook_waits_in_business_time(provider: Played, drawer: Drawer):
    """Three days late is a matter of moving the clock."""
    drill(provider, "late_webhook:259200")
    step = charged(provider, drawer)
    assert (len(step.out), step.errands) == (1, [])
    timer = timer_of(step)
    assert (timer.due_ms, timer.business) == (NOON_MS + 259_200_000, True)
    assert posts(fires(provider, timer)) == ["pi_1.1"]


def test_early_webhook_overtakes_the_reply(provider: Played, drawer: Drawer):
    """The notice leaves at once, the outcome a moment later, the same as ever."""
    drill(provider, "early_webhook")
    step = charged(provider, drawer)
    assert (step.out, posts(step)) == ([], ["pi_1.1"])
    assert timer_of(step).due_ms == provider.wire_ms + EARLY_MS
    (late,) = fires(provider, timer_of(step)).out
    assert (late.kind, late.body.result, late.body.asked) == ("outcome", "approved", False)


def test_reorder_webhooks_swaps_two(provider: Played, drawer: Drawer):
    """The first is held until the second was taken."""
    drill(provider, "reorder_webhooks")
    first, second = charged(provider, drawer, 1), charged(provider, drawer, 2)
    assert (posts(first), posts(second)) == ([], ["pi_2.1"])
    released = taken(provider, second)
    assert posts(released) == ["pi_1.1"]
    assert released.timers == [CancelTimer(timer_of(first).id)]
    assert posts(charged(provider, drawer, 3)) == ["pi_3.1"]
    taken(provider, released)
    assert provider.replayed() == provider.state


def test_a_held_notice_goes_anyway_when_no_other_comes(provider: Played, drawer: Drawer):
    """Each notice reaches its receiver."""
    drill(provider, "reorder_webhooks")
    timer = timer_of(charged(provider, drawer))
    assert timer.due_ms == provider.wire_ms + HELD_MS_MAX
    assert posts(fires(provider, timer)) == ["pi_1.1"]
    assert provider.state.held_notice == ""


def test_a_rule_with_a_match_drills_only_what_it_names(provider: Played, drawer: Drawer):
    """`webhook` rules are held against the operation that the notice is about."""
    drill(provider, "late_webhook:60", match={"payment": "pi_2"})
    assert posts(charged(provider, drawer, 1)) == ["pi_1.1"]
    assert posts(charged(provider, drawer, 2)) == []


def test_a_refund_pays_back_no_more_than_was_captured(provider: Played, drawer: Drawer):
    """Bounded by what was captured, once each, with its truth and its notice."""

    def refund(amount: int, reference: str):
        order = RefundCapture("pi_1", reference, "m_001", "pi_1.1", amount, "USD", f"re_{amount}")
        return provider.tell("refund", order)

    charged(provider, drawer)
    assert refund(1, "pi_1.9").out[0].body.code == "nothing_captured"
    provider.tell("capture", claim(1000))
    assert refund(1001, "pi_1.3").out[0].body.code == "amount_exceeds_captured"
    step = refund(600, "pi_1.4")
    (truth,) = step.posts
    assert (truth.record.operation, truth.record.operation_id, truth.record.amount) == (
        "refund",
        "re_600",
        600,
    )
    assert step.out[0].body == refund(600, "pi_1.4").out[0].body
    assert step.errands[0].body.notice.operation == "refund"
    assert refund(401, "pi_1.5").out[0].body.code == "amount_exceeds_captured"
    assert refund(400, "pi_1.6").out[0].body.result == "approved"
    assert refund(1, "pi_1.7").out[0].body.code == "already_refunded"
    assert provider.tell("reverse", give_back(99, "pi_1.8")).out[0].body.amount == 99
    assert provider.replayed() == provider.state


def test_no_step_holds_a_card(provider: Played, drawer: Drawer):
    """A notice tells what became of a charge, and nothing of its card."""
    drill(provider, "duplicate_webhook")
    charged(provider, drawer)
    assert GOOD.encode() not in provider.everything()
    assert len(msgspec.json.encode(provider.steps[-1].errands[0].body)) < 1024
