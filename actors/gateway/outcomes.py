"""What a provider says about a call, and what follows: the payment moves and whoever waits is told.

An outcome belongs to the open call with its reference. One about a call that is over is either the
same fact once more, or a charge that was approved after we had given it up: that one is given back.
"""

from actors.gateway import (
    breakers,
    calls,
    canaries,
    cases,
    challenges,
    holds,
    late,
    refund_outcomes,
    routing,
)
from actors.gateway import idempotency as keys
from actors.gateway import outcome_entries as entries
from actors.gateway.booking import Booking
from actors.gateway.facts import Parked, Pending, Unparked
from actors.gateway.settings import HOLD_MS, Rules
from actors.gateway.state import GatewayState
from payrail.domain.challenges import AUTHENTICATION_REQUIRED
from payrail.domain.declines import OF_THE_VAULT
from payrail.domain.ledger import (
    OperationFailed,
    OutcomeUnknown,
    PaymentAuthorized,
)
from payrail.domain.messages import AskAgain, AttemptTimeout, CardRefused, Outcome
from payrail.domain.payments import FENCED, FENCED_DECLINE, OpenOperation, PaymentView, render
from payrail.domain.problems import problem_fields
from payrail.domain.providers import public_name
from payrail.domain.timestamps import iso
from payrail.domain.words.providers import Action
from payrail.runtime.actor import Message, Moment, Step

#: Outcomes after which the call certainly had no effect.
NO_EFFECT = frozenset({"refused", "fenced"})
WITHHELD = "the vault did not hand out this card, and no provider was asked"


def outcome(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """A provider has spoken about one of our references. Raises ValueError, which makes a dead
    letter, when it speaks in the name of another or about another's call."""
    told: Outcome = message.body
    _must_speak_for_itself(state, message)
    if told.reference in state.late:
        return late.ended(state, message, moment)
    view = state.payments.get(told.payment_id)
    if view is None or view.open is None or view.open.reference != told.reference:
        if told.operation == "refund":
            return refund_outcomes.come_back(state, message, moment)
        return late.consider(state, message, moment)
    if told.result == "pending":
        return refund_outcomes.waits(view, told, moment)
    if told.result == "ambiguous":
        return _doubt(state, view, message, moment, "ambiguous")
    booking = Booking(view, message, moment)
    if view.open.operation == "authorize":
        step = _authorized_or_not(state, booking, message, moment, rules)
    elif view.open.operation == "refund":
        step = refund_outcomes.ended(state, booking, message, moment)
    else:
        step = _claimed_or_not(state, booking, message, moment, rules)
    if view.open.operation != "authorize":
        step.timers.extend(holds.after(booking, view, message, moment))
    cases.resolved(state, booking, view)
    if not view.open.in_doubt:  # else this call was judged when its time was over
        _with(step, breakers.judged(state, booking, told.provider, told.result, moment))
    return canaries.answered(state, booking, step, told, moment)


def _with(step: Step, judged: Step) -> Step:
    """`step`, and what the call says about its provider."""
    step.events.extend(judged.events)
    step.timers.extend(judged.timers)
    step.shows.extend(judged.shows)
    return step


def _must_speak_for_itself(state: GatewayState, message: Message) -> None:
    told: Outcome = message.body
    view = state.payments.get(told.payment_id)
    ours = view.open if view is not None else None
    about = ours.provider if ours is not None and ours.reference == told.reference else None
    if public_name(message.sender) != told.provider or about not in (None, told.provider):
        raise ValueError(f"{message.sender} speaks about a call to {about or told.provider}")


def card_refused(state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
    """The vault kept the card: no provider has heard of this charge."""
    told: CardRefused = message.body
    view = state.payments.get(told.payment_id)
    if view is None or view.open is None or view.open.reference != told.reference:
        return Step()
    booking = Booking(view, message, moment)
    entries.decline(booking, view.open, told.code, moment, rules)
    cases.resolved(state, booking, view)
    return _final(state, booking, view.open.reference, moment, 402)


def timed_out(state: GatewayState, message: Message, moment: Moment) -> Step:
    """The call has had its time: neither success nor failure. The client gets 202, the provider
    gets the first ask."""
    timer: AttemptTimeout = message.body
    view = state.payments.get(timer.payment_id)
    if view is None or view.open is None or view.open.reference != timer.reference:
        return Step()
    return _doubt(state, view, message, moment, "timeout")


def ask_again(state: GatewayState, message: Message, moment: Moment) -> Step:
    """Still no outcome: ask once more."""
    timer: AskAgain = message.body
    if timer.reference in state.late:
        return late.ask_again(state.late[timer.reference], timer.number, moment)
    view = state.payments.get(timer.payment_id)
    if view is None or view.open is None or view.open.reference != timer.reference:
        return Step()
    step = calls.ask(view, timer.number, moment)
    if cases.is_due(view, timer.number):
        step.posts = cases.unresolved(view, timer.number - 1, message, moment).posts
    return step


def _doubt(
    state: GatewayState, view: PaymentView, message: Message, moment: Moment, why: str
) -> Step:
    if view.open is None or view.open.in_doubt:
        return Step()
    booking = Booking(view, message, moment)
    attempt = len(view.attempts)
    call = view.open
    booking.book(
        "payment.unknown",
        OutcomeUnknown(attempt, call.provider, call.reference, call.operation),
        call.amount or view.amount,
    )
    asking = calls.ask(view, 1, moment)
    step = Step(posts=booking.posts, out=asking.out, timers=asking.timers)
    _with(step, breakers.judged(state, booking, call.provider, why, moment))
    pending = state.pending.get(view.id)
    if pending is None or booking.view is None:
        return step
    if pending.asker is not None and not pending.told:
        told = Pending(pending.key, pending.asker, pending.created, told=True)
        step.events += [*keys.provisional(pending.key, moment), Parked(view.id, told)]
        step.replies = [keys.reply(pending.asker, 202, render(booking.view))]
    return step


def _authorized_or_not(
    state: GatewayState, booking: Booking, message: Message, moment: Moment, rules: Rules
) -> Step:
    told: Outcome = message.body
    view, call = entries.open_call(booking)
    elsewhere = _elsewhere(state, booking, message, moment, rules)
    if elsewhere is not None:
        return elsewhere
    if told.action is not None:
        return _challenged(state, booking, told.action, moment, rules)
    if told.result != "approved":
        code = FENCED_DECLINE if told.result in NO_EFFECT else told.code
        refusal = told.code if told.result == "refused" else None
        entries.decline(booking, call, code, moment, rules, refusal)
        return _final(state, booking, call.reference, moment, 402)
    if told.amount != view.amount or told.currency != view.currency:
        return _wrong_amount(state, booking, message, moment, rules)
    booking.book(
        "payment.authorized",
        PaymentAuthorized(
            number=len(view.attempts),
            provider=call.provider,
            reference=call.reference,
            provider_reference=told.provider_reference or "",
            amount_authorized=told.amount,
            capture_before=iso(moment.business_ms + HOLD_MS),
            latency_ms=entries.latency_ms(call, moment),
        ),
        told.amount,
    )
    if view.capture_method == "automatic":
        return _capture_at_once(booking, call, moment, rules)
    step = _final(state, booking, call.reference, moment, _ok(state, view))
    if booking.view is not None:
        step.timers.append(holds.timer(booking.view))
    return step


def _challenged(
    state: GatewayState, booking: Booking, action: Action, moment: Moment, rules: Rules
) -> Step:
    """The cardholder is asked for, and the shop is told where to send them. Once it was told to
    wait nobody sends anybody: then the payment ends here, and no money has moved."""
    view, call = entries.open_call(booking)
    if call.in_doubt:
        entries.decline(booking, call, AUTHENTICATION_REQUIRED, moment, rules)
        return _final(state, booking, call.reference, moment, 402)
    timer = challenges.open_one(booking, action, entries.latency_ms(call, moment), rules)
    step = _final(state, booking, call.reference, moment, _ok(state, view))
    step.timers.append(timer)
    return step


def _elsewhere(
    state: GatewayState, booking: Booking, message: Message, moment: Moment, rules: Rules
) -> Step | None:
    """The charge at another provider, when this one safely refused it; None: it ends here."""
    view, call = entries.open_call(booking)
    pending = state.pending.get(view.id)
    waits_until_ms = pending.waits_until_ms if pending else 0
    now_ms, told = moment.wire_ms, message.body
    if not routing.may_go_elsewhere(view, told, waits_until_ms, now_ms, rules.declines):
        return None
    tried = {attempt.provider for attempt in view.attempts}
    charge = routing.charge_of(view)
    choice = routing.another(rules.routing, charge, state.standing, tried)
    if choice.provider is None:
        return None
    step = calls.authorize(
        booking, moment, rules, choice, entries.end_of(call, told, moment, rules)
    )
    step.timers[:0] = calls.timers_over(call.reference)
    return step


def _capture_at_once(booking: Booking, call: OpenOperation, moment: Moment, rules: Rules) -> Step:
    """Who asked goes on waiting: for the capture now."""
    view = booking.view
    if view is None:
        raise TypeError("nothing was booked")
    step = calls.capture(booking, moment, rules, amount=view.amount_authorized, final=True)
    step.timers[:0] = calls.timers_over(call.reference)
    return step


def _wrong_amount(
    state: GatewayState, booking: Booking, message: Message, moment: Moment, rules: Rules
) -> Step:
    """Approved, but not what we asked for: give it back, decline, and tell people."""
    view, call = entries.open_call(booking)
    entries.decline(booking, call, "amount_mismatch", moment, rules)
    step = _final(state, booking, call.reference, moment, 402)
    back = late.give_back(message, moment, call_number=view.calls + 1, merchant_id=view.merchant_id)
    step.events.extend(back.events)
    step.out.extend(back.out)
    step.timers.extend(back.timers)
    cases.opened(booking, message, moment, "amount_mismatch")
    return step


def _claimed_or_not(
    state: GatewayState, booking: Booking, message: Message, moment: Moment, rules: Rules
) -> Step:
    told: Outcome = message.body
    view, call = entries.open_call(booking)
    if told.result != "approved":
        code = FENCED if told.result == "fenced" else told.code
        booking.book(
            "payment.operation_failed",
            OperationFailed(call.operation, call.provider, call.reference, code),
            call.amount,
        )
        decline_code = FENCED_DECLINE if told.result in NO_EFFECT else told.code
        return _final(state, booking, call.reference, moment, 402, decline_code)
    if call.operation == "capture":
        expected = call.amount
        entries.capture(booking, told, moment, rules.fees)
    else:
        expected = view.amount_held
        entries.reversal(booking, call)
    if told.amount != expected:
        cases.opened(booking, message, moment, "amount_mismatch")
    return _final(state, booking, call.reference, moment, _ok(state, view))


def _ok(state: GatewayState, view: PaymentView) -> int:
    pending = state.pending.get(view.id)
    return 201 if pending is not None and pending.created else 200


def _final(
    state: GatewayState,
    booking: Booking,
    reference: str,
    moment: Moment,
    status: int,
    code: str | None = None,
) -> Step:
    """The operation is over: stop its timers, answer who waits, and freeze the key."""
    view = booking.view
    if view is None:
        raise TypeError("nothing was booked")
    step = Step(posts=booking.posts, timers=calls.timers_over(reference))
    pending = state.pending.get(view.id)
    if pending is None:
        return step
    step.events = [*keys.answered(pending.key, status, moment), Unparked(view.id)]
    asker = pending.asker
    if asker is not None:
        body = render(view) if status < 300 else _declined(view, code, asker.correlation_id)
        step.replies = [keys.reply(asker, status, body)]
    return step


def _declined(view: PaymentView, code: str | None, correlation_id: str) -> dict[str, object]:
    decline_code = code or view.decline_code or "generic_decline"
    return problem_fields(
        402,
        "card-declined",
        WITHHELD if decline_code in OF_THE_VAULT else "the provider did not accept this",
        correlation_id,
        extra={"decline_code": decline_code, "payment_intent": render(view)},
    )
