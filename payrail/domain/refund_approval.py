"""Who has to say yes to a refund: by its size, and never the one who asked for it.

    up to `automatic`     nobody     (0 by default: every refund needs a second person)
    up to `approver`      an approver or an admin
    beyond it             an admin

Users are compared, not keys or roles: one user with two keys is one user, and an admin cannot
approve an own refund. Never: reads `refunds.toml`; the gateway does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from payrail.domain.access import ADMIN, APPROVER
from payrail.domain.refund_view import RefundState, RefundView
from payrail.domain.timestamps import iso, parse_iso
from payrail.errors import RequestError

#: How long a refund waits for its second person, in business time.
EXPIRES_AFTER_MS = 72 * 3_600_000

AUTOMATIC_TIER, APPROVER_TIER, ADMIN_TIER = "automatic", "approver", "admin"
_MAY_APPROVE = {
    AUTOMATIC_TIER: frozenset({APPROVER, ADMIN}),
    APPROVER_TIER: frozenset({APPROVER, ADMIN}),
    ADMIN_TIER: frozenset({ADMIN}),
}


@dataclass(frozen=True, slots=True)
class RefundTiers:
    """`refunds.toml`: largest amounts by currency, in minor units. A currency that is missing
    from `automatic_minor_max` has none; one missing from `approver_minor_max` has no end."""

    automatic_minor_max: Mapping[str, int] = field(default_factory=dict)
    approver_minor_max: Mapping[str, int] = field(default_factory=dict)
    expires_after_ms: int = EXPIRES_AFTER_MS

    def tier(self, amount_minor: int, currency: str) -> str:
        """automatic | approver | admin."""
        if amount_minor <= self.automatic_minor_max.get(currency, 0):
            return AUTOMATIC_TIER
        highest = self.approver_minor_max.get(currency)
        return APPROVER_TIER if highest is None or amount_minor <= highest else ADMIN_TIER

    def expires_at(self, business_ms: int) -> str:
        """When a refund that is asked for now is no longer waited for."""
        return iso(business_ms + self.expires_after_ms)


BY_DEFAULT = RefundTiers()


def must_be_checker(view: RefundView, user_id: str, role: str) -> None:
    """Whether this user may approve or reject. Refuses: four-eyes and forbidden 403."""
    if user_id == view.requested_by:
        detail = "you asked for this refund; another user has to approve or reject it"
        raise RequestError(403, "four-eyes", detail)
    if role not in _MAY_APPROVE[view.tier]:
        who = "an admin" if view.tier == ADMIN_TIER else "an approver or an admin"
        raise RequestError(403, "forbidden", f"this refund needs {who}")


def is_expired(view: RefundView, business_ms: int) -> bool:
    """Whether nobody approved it in time."""
    waits = view.state is RefundState.PENDING_APPROVAL
    return waits and business_ms >= parse_iso(view.expires_at)
