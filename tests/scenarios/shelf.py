"""A simulated house with one provider first, and a shop that buys there with any card."""

import csv
import io
from dataclasses import replace
from typing import Any

from actors.simulation.house import GOOD
from payrail.domain.providers import actor_of
from payrail.domain.routing import RoutingTable
from payrail.web.simnet import Asked
from payrail.web.simwire import Answer, NoAnswer
from tests.scenarios.opendoors import OpenHouse

PROVIDERS = ("providerA", "providerB")


class Shelf(OpenHouse):
    """A house in which one provider comes first."""

    def __init__(self, first: str) -> None:
        super().__init__()
        order = (first, *(name for name in PROVIDERS if name != first))
        self.rules = replace(self.rules, routing=RoutingTable(order=order), challenge_key=b"key")
        self.first, self.orders = first, 0
        self.notices: list[tuple[int, bytes]] = []  # (when in the trace, body)

    def _told(self, what: str, asked: Asked, came: Answer | NoAnswer | None) -> None:
        super()._told(what, asked, came)
        if asked.path == "/webhooks/provider" and what == "answered":
            self.notices.append((len(self.trace), asked.body))

    def post(self, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        self.orders += 1
        return self.http("POST", path, {} if body is None else body, key=f"k{self.orders}", **more)

    def get(self, path: str, **more: Any) -> Any:
        return self.http("GET", path, **more)[1]

    def paid(
        self, number: str, name: str = "A B", amount: int = 5_000, **more: Any
    ) -> tuple[int, Any]:
        """What comes of a purchase with a card: created, charged and captured in one order."""
        order = {"amount": amount, "currency": "USD", "payment_method": self.card(number, name)}
        at_once = {"confirm": True, "capture_method": "automatic"}
        return self.post("/payment-intents", {**order, **at_once, **more})

    def bought(self, number: str = GOOD) -> str:
        """The id of a payment that was captured."""
        status, payment = self.paid(number)
        assert (status, payment["state"], payment["provider"]) == (201, "captured", self.first)
        return str(payment["id"])

    def made(self, number: str = GOOD, **more: Any) -> str:
        """The id of a payment that was made and not charged."""
        token = self.card(number)
        order = {"amount": 5_000, "currency": "USD", "payment_method": token, **more}
        return str(self.post("/payment-intents", order)[1]["id"])

    def held(self) -> str:
        """The id of a payment that holds its money."""
        payment_id = self.made()
        assert self.post(f"/payment-intents/{payment_id}/authorize")[0] == 200
        return payment_id

    def asked(self, path: str, fault: dict[str, Any] | None = None, **more: Any) -> list[Any]:
        """What comes of an order, which may need time."""
        self.orders += 1
        came = self.send("POST", path, {}, key=f"k{self.orders}", fault=fault, **more)
        self.run()
        return came

    def requested(self, payment_id: str) -> str:
        """The id of a refund that waits for its second person."""
        order = {"payment_intent": payment_id, "amount": 1_000, "reason": "x"}
        return str(self.post("/refunds", order, role="operator")[1]["id"])

    def refunded(self, payment_id: str) -> Any:
        ident = self.requested(payment_id)
        assert self.post(f"/refunds/{ident}/approve", role="approver")[0] == 200
        return self.get(f"/refunds/{ident}")

    def stated(self, payment_id: str) -> dict[str, str]:
        """The one line of the first provider's statements about this payment."""
        folder = f"data/providers/statements/{self.first}"
        files = [self.fs.read(f"{folder}/{name}") for name in sorted(self.fs.listdir(folder))]
        rows = [row for data in files for row in csv.DictReader(io.StringIO(data.decode()))]
        (found,) = [row for row in rows if f"{payment_id}." in "".join(row.values())]
        return found

    def cases_of(self, payment_id: str) -> list[Any]:
        """What people have to look at about this payment."""
        found = self.get(f"/cases?payment_intent={payment_id}", role="admin")["data"]
        return list(found)

    def noted(self, door: str, provider: str = "") -> list[tuple[str, str]]:
        """(what was done, to which operation) of the faults that came by this door."""
        notes = [note.fields for note in self.notes_of(provider or self.first)]
        return [(one["do"], one["operation"]) for one in notes if one["door"] == door]

    def notes_of(self, provider: str) -> list[Any]:
        """What the log of a provider is told of faults."""
        noted = self.drivers[actor_of(provider)].loop.noted
        return [note for note, _ in noted if note.event == "fault.injected"]
