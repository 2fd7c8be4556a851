"""Orders of merchants: checked at the door, asked of the gateway, answered as the gateway said.

The order of the checks is: key (401), role (403), merchant (422), id (404), Idempotency-Key (400),
body (415, 413, 400, 422). Nothing is decided here.
"""

from typing import Any

from aiohttp import web

from actors.frontdoor.asking import Asking
from actors.frontdoor.fault_header import fault_of
from actors.frontdoor.heads import command_head, idempotency_key, payment_id
from actors.frontdoor.models import (
    COMMAND_BYTES_MAX,
    CapturePaymentIntent,
    CreatePaymentIntent,
    NoFields,
)
from actors.frontdoor.reads import PaymentsView
from actors.frontdoor.trying import tried
from payrail.domain.access import PAYERS
from payrail.domain.messages import (
    AuthorizePayment,
    CancelPayment,
    CapturePayment,
    CreatePayment,
)
from payrail.domain.payment_view import PaymentView, render
from payrail.domain.words.kinds import GATEWAY
from payrail.errors import Damage, RequestError
from payrail.storage.lines import encode
from payrail.web.access import AccessView, Caller
from payrail.web.bodies import read_checked

#: How many of a merchant's newest payments are searched for one whose creation had no answer.
_NEWEST_SEARCHED = 64


#: The call to a provider that each order leads to.
_OPERATIONS: dict[type, str] = {
    CreatePayment: "authorize",
    AuthorizePayment: "authorize",
    CapturePayment: "capture",
    CancelPayment: "reverse",
}


class Commands:
    """Handlers of everything that changes a payment."""

    def __init__(self, asking: Asking, access: AccessView, payments: PaymentsView) -> None:
        self._asking, self._access, self._payments = asking, access, payments

    async def create(self, request: web.Request) -> web.Response:
        caller, key = self._access.for_merchant(request, PAYERS), idempotency_key(request)
        fault = fault_of(request, caller, _OPERATIONS[CreatePayment])
        given = await read_checked(request, CreatePaymentIntent, COMMAND_BYTES_MAX)
        order = CreatePayment(**given, fault=fault, **command_head(request, caller, key, given))
        return await self._ask(request, "payment.create", order, None)

    async def authorize(self, request: web.Request) -> web.Response:
        caller, about, key = self._about(request)
        fault = fault_of(request, caller, _OPERATIONS[AuthorizePayment])
        given = await read_checked(request, NoFields, COMMAND_BYTES_MAX, empty_ok=True)
        head = command_head(request, caller, key, given)
        order = AuthorizePayment(id=about, fault=fault, **head)
        return await self._ask(request, "payment.authorize", order, about)

    async def capture(self, request: web.Request) -> web.Response:
        caller, about, key = self._about(request)
        fault = fault_of(request, caller, _OPERATIONS[CapturePayment])
        given = await read_checked(request, CapturePaymentIntent, COMMAND_BYTES_MAX, empty_ok=True)
        head = command_head(request, caller, key, given)
        order = CapturePayment(id=about, **given, fault=fault, **head)
        return await self._ask(request, "payment.capture", order, about)

    async def cancel(self, request: web.Request) -> web.Response:
        caller, about, key = self._about(request)
        fault = fault_of(request, caller, _OPERATIONS[CancelPayment])
        given = await read_checked(request, NoFields, COMMAND_BYTES_MAX, empty_ok=True)
        head = command_head(request, caller, key, given)
        order = CancelPayment(id=about, fault=fault, **head)
        return await self._ask(request, "payment.cancel", order, about)

    def _about(self, request: web.Request) -> tuple[Caller, str, str]:
        caller = self._access.for_merchant(request, PAYERS)
        return caller, payment_id(request), idempotency_key(request)

    async def _ask(
        self, request: web.Request, kind: str, order: Any, about: str | None
    ) -> web.Response:
        kind, body = tried(request, kind, order)
        try:
            return await self._asking.ask(request, GATEWAY, kind, body, about)
        except RequestError as refusal:
            if body is not order:
                raise
            pending = self._seen_pending(order, about) if refusal.status == 504 else None
            if pending is None:
                raise
        return web.Response(
            body=encode(render(pending)), status=202, content_type="application/json"
        )

    def _seen_pending(self, order: Any, about: str | None) -> PaymentView | None:
        """The same as far as the books can be read: what a power cut has torn is damaged until
        the gateway is back, and takes nothing from what the refusal says."""
        try:
            return self._pending(order, about)
        except (Damage, RequestError):
            return None

    def _pending(self, order: Any, about: str | None) -> PaymentView | None:
        """The payment, if the call to a provider that was asked for is open: then 202 says more
        than 504. A call that somebody else asked for says nothing about this order."""
        self._payments.catch_up()
        if about is not None:
            row = self._payments.row(about, order.merchant_id)
            view = self._payments.view(row) if row else None
        else:
            view = self._created_by(order)
        if view is None or view.open is None:
            return None
        return view if view.open.operation == _OPERATIONS[type(order)] else None

    def _created_by(self, order: CreatePayment) -> PaymentView | None:
        newest = self._payments.oldest_first(order.merchant_id)[-_NEWEST_SEARCHED:]
        views = (self._payments.view(row) for row in reversed(newest))
        return next((view for view in views if _is_made_by(view, order)), None)


def _is_made_by(view: PaymentView, order: CreatePayment) -> bool:
    """Whether this order made this payment: its key with another body is another order."""
    return (view.idempotency_key, view.amount, view.currency, view.payment_method.token) == (
        order.idempotency_key,
        order.amount,
        order.currency,
        order.payment_method,
    )
