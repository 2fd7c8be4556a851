"""What became of a reference: the outcome, not yet, or never.

An ask about a reference that was never seen refuses it for good, so that a charge which still lies
in a mailbox cannot happen behind the back of whoever was told "no".
"""

from actors.provider import injected, outcomes
from actors.provider.rules import BROKEN, SAFE, Drill, Subject, choose
from actors.provider.state import ProviderState, ReferenceFenced
from payrail.domain.messages import Ask
from payrail.domain.words.providers import StatusOf
from payrail.runtime.actor import Step

#: Drills that keep an ask from being answered; its asker tries again, and nothing is fenced.
_ON_STATUS = (*SAFE, *BROKEN, "hang")
#: What an ask hears of a slow call that it does not fence: a promise that this drill then breaks.
UNFENCED_ANSWER = "fenced"


def answer_ask(state: ProviderState, ask: Ask, provider: str, seed: int) -> Step:
    """What became of a reference. One that was never seen is refused from now on."""
    drill = choose(state.faults, _asked_about(state, ask), seed, _ON_STATUS)
    if drill is not None:
        step = Step(out=[outcomes.answered(ask, "pending", provider)])
        return injected.told(step, drill, "status", ask.reference)
    known = state.operations.get(ask.reference)
    if known is not None:
        return Step(out=[outcomes.done(known, ask.reference, provider, asked=True)])
    waiting = state.waiting.get(ask.reference)
    if ask.reference in state.fenced:
        return Step(out=[outcomes.answered(ask, "fenced", provider)])
    if waiting is not None and (waiting.due_ms is None or waiting.is_pending):
        return Step(out=[outcomes.answered(ask, "pending", provider)])
    if waiting is not None and not waiting.fence:
        return Step(out=[outcomes.answered(ask, UNFENCED_ANSWER, provider)])
    return Step(
        events=[ReferenceFenced(ask.reference)],
        out=[outcomes.answered(ask, "fenced", provider)],
    )


def look_drill(state: ProviderState, given: StatusOf, seed: int) -> Drill | None:
    """The drill that keeps a look at a call from being answered, as it would an ask."""
    ask = Ask(given.reference.rpartition(".")[0], given.reference, "", 0)
    return choose(state.faults, _asked_about(state, ask), seed, _ON_STATUS)


def seen(state: ProviderState, reference: str) -> str | None:
    """What is known of a call that has no end: pending | fenced; None: it was never seen. Unlike
    an ask, this fences nothing."""
    if reference in state.fenced:
        return "fenced"
    return "pending" if reference in state.waiting else None


def _asked_about(state: ProviderState, ask: Ask) -> Subject:
    """An ask as a subject of drills. A reference never seen counts as documented: no lot for it."""
    known = state.operations.get(ask.reference)
    waiting = state.waiting.get(ask.reference)
    about = waiting.order if waiting is not None else known
    seen = waiting or known
    return Subject(
        operation="status",
        reference=ask.reference,
        merchant_id=about.merchant_id if about else "",
        payment_id=ask.payment_id,
        token=about.token if about else None,
        amount=about.amount if about else None,
        is_documented=seen.is_documented if seen else True,
    )
