"""What a test of tenants must know of each route: whose ids its path holds, and a body that fits.

A new route needs nothing here while its path begins like one of `OWNERS` and an empty body does;
one that is not known fails the test by name.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.scenarios.living import until
from tests.scenarios.shop import Answer, Shop

ROLES = ("admin", "operator", "approver", "viewer", "auditor", "publishable")
#: Who holds no key of a role.
STRANGERS = ("none", "wrong", "revoked")
#: No key is needed: the answer says nothing of any merchant, or a signature says who speaks.
OPEN = {"/health", "/ready", "/metrics", "/webhooks/provider", "/challenges/{id}"}

#: How a path begins, and what the id in it is. None: it belongs to the house, not to a merchant.
OWNERS: dict[str, str | None] = {
    "/payment-intents/": "payment",
    "/ledger/": "payment",
    "/audit/payments/": "payment",
    "/refunds/": "refund",
    "/disputes/": "dispute",
    "/payouts/": "payout",
    "/cases/": "case",
    "/webhook-endpoints/": "endpoint",
    "/merchants/": "merchant",
    "/users/": "user",
    "/keys/": "key",
    "/tokens/": "token",
    "/audit/exports/": "export",
    "/dlq/": None,
    "/providers/": None,
    "/actors/": None,
    "/settlements/": None,
    "/reconciliations/": None,
    "/rules/": None,
    "/challenges/": None,
}
#: An id of each kind that no house ever makes, in the shape of one.
UNKNOWN = {
    "payment": "pi_" + "z" * 16,
    "refund": "re_" + "z" * 16,
    "dispute": "dp_" + "z" * 16,
    "payout": "po_" + "z" * 16,
    "case": "case_" + "z" * 16,
    "endpoint": "we_" + "z" * 16,
    "merchant": "m_" + "z" * 16,
    "user": "usr_" + "z" * 16,
    "key": "key_" + "z" * 16,
    "token": "tok_" + "0" * 32,
    "export": "exp_" + "z" * 16,
}
#: Bodies that pass their check, where an empty one does not.
BODIES: dict[str, dict[str, Any]] = {
    "/refunds/{id}/reject": {"reason": "no"},
    "/disputes/{id}/resolve": {"outcome": "won"},
    "/disputes/{id}/evidence": {"evidence": {"uncategorized_text": "a slip"}},
    "/webhook-endpoints/{id}": {"events": ["payment.*"]},
}
#: Asked with a body that fits where a role is refused, too: the refusal leaves a line of the log.
NEEDS_BODY = {"/detokenize": {"token": UNKNOWN["token"], "purpose": "support.last4"}}
#: Ids that stand in a body or in a query, with all else that an order needs.
IN_BODIES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("/refunds", "payment_intent", "payment", {"amount": 1, "reason": "x"}),
    (
        "/disputes",
        "payment_intent",
        "payment",
        {"amount": 1, "reason": "fraudulent", "stage": "chargeback"},
    ),
    ("/keys", "user", "user", {"role": "viewer"}),
    ("/payment-intents", "payment_method", "token", {"amount": 1, "currency": "USD"}),
    ("/detokenize", "token", "token", {"purpose": "support.last4"}),
)
IN_QUERIES = {
    "payment_intent": "payment",
    "payment": "payment",
    "endpoint_id": "endpoint",
    "token": "token",
}


@dataclass(frozen=True)
class Operation:
    """One route of a running house, as its document tells it. `roles` None: it does not say."""

    door: str
    method: str
    path: str
    roles: tuple[str, ...] | None
    is_open: bool
    query: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def kind(self) -> str | None:
        """What the id in the path is. Raises KeyError for a path that nobody told of."""
        if "{" not in self.path:
            return None
        return next(kind for begin, kind in OWNERS.items() if self.path.startswith(begin))

    def filled(self, ident: str) -> str:
        """The path with this id, where it takes one; the second of two is a number."""
        if "{" not in self.path:
            return self.path
        head, _, rest = self.path.partition("{")
        behind = rest.partition("}")[2]
        return f"{head}{ident}{behind}".replace("{n}", "1").replace("{ref}", "1")


@dataclass
class Tenant:
    """A merchant with something of each kind."""

    shop: Shop
    ids: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)  # keys of strangers

    def ask(
        self, operation: Operation, who: str, path: str, body: Any = None, raw: bytes | None = None
    ) -> Answer:
        """Ask as a role or as a stranger, under a correlation id that is always the same."""
        headers = {"X-Correlation-Id": "same", "Idempotency-Key": os.urandom(8).hex()}
        if who in STRANGERS:
            headers["Authorization"] = self.texts[who]
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        role = "viewer" if who in STRANGERS else who
        return self.shop.send(operation.method, path, data, headers, role, operation.door)


def operations(shop: Shop, door: str) -> Iterator[Operation]:
    """Every route of a door, out of its own document."""
    document = shop.send("GET", "/openapi.json", None, {}, url=door).body
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            yield Operation(
                door,
                method.upper(),
                path,
                tuple(told["x-roles"]) if "x-roles" in told else None,
                told.get("security") == [],
                tuple(one["name"] for one in told.get("parameters", ()) if one["in"] == "query"),
            )


def furnished(shop: Shop, vault: str, sink: str) -> Tenant:
    """A merchant who has one of each thing that can be made here."""
    token = shop.tokenize()
    payment = shop.create(token, 5_000, confirm=True, capture_method="automatic").body["id"]
    order = {"payment_intent": payment, "amount": 700, "reason": "sent back"}
    disputed = shop.create(token, 900, confirm=True, capture_method="automatic").body["id"]
    claim = {"payment_intent": disputed, "amount": 900, "reason": "fraudulent"}
    dispute = shop.post("/disputes", claim).body["id"]
    until(lambda: shop.get(f"/disputes/{dispute}").status == 200, "the provider opens the dispute")
    user = shop.post("/users", {"name": "Ada"}).body["id"]
    new = shop.post("/keys", {"user": user, "role": "viewer"}).body
    shop.post(f"/keys/{new['id']}/revoke", {})
    ids = {
        "merchant": str(shop.get("/merchants").body["data"][0]["id"]),
        "token": token,
        "payment": payment,
        "refund": shop.post("/refunds", order, role="operator").body["id"],
        "dispute": dispute,
        "endpoint": shop.post("/webhook-endpoints", {"url": sink}).body["id"],
        "user": user,
        "key": new["id"],
    }
    key = shop.keys["admin"]
    wrong = f"{key[:-1]}{'0' if key[-1] != '0' else '1'}"
    texts = {"none": "", "wrong": f"Bearer {wrong}", "revoked": f"Bearer {new['key']}"}
    return Tenant(shop, ids, texts)
