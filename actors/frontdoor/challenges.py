"""`/challenges/{id}`: where a cardholder answers, as a page or as JSON. No key is needed.

Who has the id may answer, once: it cannot be guessed, so that no other site can send the form. What
is shown is what a cardholder may know, and never the payment. What a browser gets is a page, also
when something is wrong; JSON is for whoever accepts or sends it.
Never: decides. The gateway does.
"""

import re
from typing import Any, Literal
from urllib.parse import parse_qs

from aiohttp import hdrs, web
from pydantic import BaseModel

from actors.frontdoor.asking import Asking
from actors.frontdoor.challenge_page import end_page, plain_page, question_page
from actors.frontdoor.heads import no_such
from actors.frontdoor.lists import answered
from actors.frontdoor.reads import PaymentsView
from payrail.domain.challenges import Challenge, next_action
from payrail.domain.payment_view import PaymentState, PaymentView
from payrail.domain.timestamps import parse_iso
from payrail.domain.words.kinds import GATEWAY
from payrail.domain.words.payments import AnswerChallenge
from payrail.errors import RequestError
from payrail.runtime.ports import Clock, Rng
from payrail.web.access import AccessView
from payrail.web.bodies import Body, checked, read_bytes, read_object
from payrail.web.openapi import Route
from payrail.web.problems import from_request_error

#: An answer is one word.
ANSWER_BYTES_MAX = 1_024
#: Random, so that an answer is one thing however often it is repeated to a gateway that was reborn;
#: and no word of the challenge, since keys stand in a file.
_ANSWER_ID_BYTES = 16
_CHALLENGE = re.compile(r"chl_[a-z2-7]{32}")
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_UNDECIDED = frozenset({PaymentState.PROCESSING, PaymentState.UNKNOWN})
_WORDS = {
    404: ("Not found", "There is no such page. Ask the shop for a new link."),
    409: ("Already answered", "This was answered before. Ask the shop how your payment stands."),
    410: ("Too late", "This was not answered in time. No money has moved; ask the shop again."),
}
_OTHERWISE = ("Please try again", "This could not be done now. Go back and try once more.")


_CODES = ("challenge-used", "challenge-expired", "validation-error", "not-found")


class ChallengeAnswer(Body):
    """JSON, or the same as a form."""

    outcome: Literal["approve", "fail", "abandon"]


class ChallengeCard(BaseModel):
    brand: str
    last4: str


class ChallengeShown(BaseModel):
    object: Literal["challenge"]
    id: str
    status: Literal["pending", "approved", "failed", "canceled", "expired"]
    payment_intent: str
    state: PaymentState
    merchant: str
    amount: int
    currency: str
    card: ChallengeCard
    expires_at: str
    next_action: dict[str, str] | None


class Challenges:
    """The two handlers."""

    def __init__(
        self,
        asking: Asking,
        access: AccessView,
        payments: PaymentsView,
        clock: Clock,
        rng: Rng,
    ) -> None:
        self._asking, self._access, self._payments = asking, access, payments
        self._clock, self._rng = clock, rng

    def routes(self) -> list[Route]:
        path, shown = "/challenges/{id}", ChallengeShown
        about = "The cardholder's page, or as JSON what it shows"
        return [
            Route("GET", path, self.show, about, shown, open_to_all=True, pages=True, codes=_CODES),
            Route(
                "POST",
                path,
                self.answer,
                "The cardholder's one answer; its charge follows at once",
                shown,
                takes=ChallengeAnswer,
                open_to_all=True,
                pages=True,
                codes=_CODES,
                may_also=(202,),
            ),
        ]

    async def show(self, request: web.Request) -> web.Response:
        try:
            view, challenge = self._found(request)
            self._must_be_open(challenge)
        except RequestError as refusal:
            return _refused(request, refusal)
        if _wants_json(request):
            return answered(self._shown(view, challenge))
        return question_page(view, self._merchant(view), challenge.expires_at)

    async def answer(self, request: web.Request) -> web.Response:
        try:
            view, challenge = self._found(request)
            given = await _given(request)
            await self._ask(request, view, challenge, given.outcome)
            view, challenge = self._found(request)
        except RequestError as refusal:
            return _refused(request, refusal)
        status = 202 if view.state in _UNDECIDED else 200
        if _wants_json(request):
            return answered(self._shown(view, challenge), status)
        if view.challenge is not None:  # the charge went elsewhere, and is asked for there
            return web.Response(status=303, headers={"Location": view.challenge.url})
        return end_page(view, status)

    async def _ask(
        self, request: web.Request, view: PaymentView, challenge: Challenge, outcome: str
    ) -> None:
        """Tell the gateway and wait for what comes of it: told again from the books. Raises
        RequestError."""
        order = AnswerChallenge(
            merchant_id=view.merchant_id,
            user_id="cardholder",
            role="cardholder",
            idempotency_key=f"door-{self._rng.token_hex(_ANSWER_ID_BYTES)}",
            request_hash=outcome,
            fields={"outcome": outcome},
            id=view.id,
            challenge_id=challenge.id,
            outcome=outcome,
        )
        try:
            reply = await self._asking.ask(request, GATEWAY, "challenge.answer", order, view.id)
        except RequestError as refusal:
            if refusal.status != 504 or self._found(request)[1].outcome is None:
                raise
            return  # taken, and still under way
        if reply.status >= 400 and reply.status != 402:
            raise _as_refusal(reply.status)

    def _found(self, request: web.Request) -> tuple[PaymentView, Challenge]:
        """The payment and its challenge as the books tell. Raises RequestError 404."""
        challenge_id = request.match_info["id"]
        if not _CHALLENGE.fullmatch(challenge_id):
            raise no_such("challenge")
        self._payments.catch_up()
        row = self._payments.challenged(challenge_id)
        if row is None:
            raise no_such("challenge")
        view = self._payments.view(row)
        return view, next(one for one in view.challenges if one.id == challenge_id)

    def _must_be_open(self, challenge: Challenge) -> None:
        is_late = self._clock.now().business_ms >= parse_iso(challenge.expires_at)
        if challenge.outcome == "expired" or (challenge.outcome is None and is_late):
            raise _as_refusal(410)
        if challenge.outcome is not None:
            raise _as_refusal(409)

    def _merchant(self, view: PaymentView) -> str:
        """The shop's name as people know it."""
        self._access.catch_up()
        known = self._access.directory.merchants.get(view.merchant_id or "")
        return known.name if known is not None else view.merchant_id or ""

    def _shown(self, view: PaymentView, challenge: Challenge) -> dict[str, Any]:
        method = view.payment_method
        return {
            "object": "challenge",
            "id": challenge.id,
            "status": challenge.outcome or "pending",
            "payment_intent": view.id,
            "state": view.state.value,
            "merchant": self._merchant(view),
            "amount": view.amount,
            "currency": view.currency,
            "card": {"brand": method.brand, "last4": method.last4},
            "expires_at": challenge.expires_at,
            "next_action": next_action(view.challenge),
        }


async def _given(request: web.Request) -> ChallengeAnswer:
    """The answer, out of a form or of JSON. Raises RequestError."""
    if request.content_type != _FORM:
        return checked(ChallengeAnswer, await read_object(request, ANSWER_BYTES_MAX))
    text = (await read_bytes(request, ANSWER_BYTES_MAX)).decode("ascii", "replace")
    try:
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=8)
    except ValueError:
        fields = {}
    return checked(ChallengeAnswer, {name: values[-1] for name, values in fields.items()})


def _wants_json(request: web.Request) -> bool:
    accepted = request.headers.get(hdrs.ACCEPT, "")
    if "text/html" in accepted:
        return False
    return _JSON in accepted or request.content_type == _JSON


def _as_refusal(status: int) -> RequestError:
    """What the gateway refused, in words for here."""
    if status == 409:
        return RequestError(409, "challenge-used", "This challenge has had its answer.")
    if status == 410:
        return RequestError(410, "challenge-expired", "This challenge was not answered in time.")
    detail = "This could not be done now; try again."
    return RequestError(status, "actor-restarting", detail, retryable=True)


def _refused(request: web.Request, refusal: RequestError) -> web.Response:
    if _wants_json(request):
        return from_request_error(request, refusal)
    title, text = _WORDS.get(refusal.status, _OTHERWISE)
    return plain_page(title, text, refusal.status)
