"""The question what an order would do: the order itself, which is decided and not done."""

from msgspec import Struct

from payrail.domain.words.kinds import asked
from payrail.domain.words.payments import (
    AuthorizePayment,
    CancelPayment,
    CapturePayment,
    Command,
    CreatePayment,
)
from payrail.domain.words.refunds import ApproveRefund, CreateRefund


class DryRun(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Exactly one of them is there."""

    create: CreatePayment | None = None
    authorize: AuthorizePayment | None = None
    capture: CapturePayment | None = None
    cancel: CancelPayment | None = None
    refund: CreateRefund | None = None
    approve: ApproveRefund | None = None

    def __post_init__(self) -> None:
        if len(self.orders) != 1:
            raise ValueError("a dry run is about one order")

    @property
    def orders(self) -> list[Command]:
        given = (self.create, self.authorize, self.capture, self.cancel, self.refund, self.approve)
        return [order for order in given if order is not None]


#: The name of an order's field, by its kind.
FIELD_OF = {
    "payment.create": "create",
    "payment.authorize": "authorize",
    "payment.capture": "capture",
    "payment.cancel": "cancel",
    "refund.create": "refund",
    "refund.approve": "approve",
}

KINDS = (asked("order.dry_run", "frontdoor", DryRun),)
