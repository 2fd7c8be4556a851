"""The simulated house with a reconciler: captures, statements, reports, approvals."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from actors.gateway.core import Gateway
from actors.provider.batches import ClosedBatch
from actors.reconciler.core import Reconciler
from actors.reconciler.works import all_works
from actors.simulation import orders
from actors.simulation.house import ACTORS, GOOD, PEERS, PROVIDERS, SimHouse, authorized
from actors.simulation.orders import Order
from payrail.domain.words.settlement import (
    ApproveBreak,
    ProposeBreak,
    RunReconciliation,
    RunSettlement,
)
from payrail.runtime.actor import Actor
from payrail.runtime.errands import Outcome
from payrail.runtime.sim import SimFs

DAY_MS = 86_400_000
TODAY = "2026-02-09"
NEWEST = "data/reconciliation/reconciliation_report.json"


class SettledHouse(SimHouse):
    """As `SimHouse`, and batches are settled and reconciled."""

    actors = (*ACTORS, "reconciler")

    def core(self, name: str) -> Actor[Any]:
        if name == "reconciler":
            return Reconciler()
        if name == "gateway":
            return Gateway(self.rules, peers=(*PEERS[name], "reconciler"))
        return super().core(name)

    def works(self, name: str, fs: SimFs) -> Mapping[str, Callable[[Any], Outcome]]:
        return all_works(fs) if name == "reconciler" else super().works(name, fs)

    def card(self) -> str:
        """The token of a good card."""
        token = self.tokenize(GOOD, "card")
        self.run()
        return token

    def captured(self, token: str, name: str, amount: int = 5000, **fields: Any) -> str:
        """A captured payment; result: its id."""
        payment_id = authorized(self, token, name, amount=amount, **fields)
        status, _ = self.say(orders.capture(payment_id, f"{name}_capture"), f"{name}_capture")
        assert status == 200
        return payment_id

    def settle(self, re: str = "settle") -> tuple[int, dict[str, Any]]:
        return self.say(settlement(), re, "reconciler")

    def reconcile(self, re: str = "reconcile", date: str | None = None) -> dict[str, Any]:
        """Reconcile; result: the newest report of this run, or that of `date`."""
        status, body = self.say(reconciliation(date), re, "reconciler")
        assert status == 200, body
        return self.report(date or body["reports"][-1]["date"])

    def report(self, date: str = TODAY) -> dict[str, Any]:
        (found,) = self.json(f"data/reconciliation/reconciliation_report_{date}.json")
        return found

    def json(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(self.bytes_of(path))]

    def state_of(self, payment_id: str) -> str:
        return str(self.state.payments[payment_id].state)

    def closed_at(self, provider: str) -> dict[str, ClosedBatch]:
        """What a provider knows of its closed batches."""
        closed: dict[str, ClosedBatch] = self.drivers[provider].loop.state.batching.closed
        return closed

    def injected(self) -> list[str]:
        """The mismatches that were really injected, at both providers."""
        return sorted(
            one.kind
            for provider in PROVIDERS
            for batch in self.closed_at(provider).values()
            for one in batch.injected
        )

    def balance(self, account: str) -> int:
        """What the books say, debit positive."""
        return sum(
            posting["amount"]
            for entry in self.entries
            for posting in entry["postings"]
            if posting["account"] == account
        )


def settlement(date: str | None = None) -> Order:
    return "settle.run", RunSettlement(date=date, user_id="cli")


def reconciliation(date: str | None = None) -> Order:
    return "reconcile.run", RunReconciliation(date=date, user_id="cli")


def propose(number: int = 1, user: str = "usr_operator", date: str = TODAY) -> Order:
    return "break.propose", ProposeBreak(date, number, user, None)


def approve(number: int = 1, user: str = "usr_approver", date: str = TODAY) -> Order:
    return "break.approve", ApproveBreak(date, number, user, None)


def mismatch(kind: str, **more: Any) -> Order:
    return orders.drill(f"settlement_mismatch:{kind}", "statement", **more)


def a_house(payments: int = 10, amount: int = 5000) -> tuple[SettledHouse, list[str]]:
    """A house at work with captures at A."""
    house = SettledHouse()
    house.start()
    token = house.card()
    return house, [house.captured(token, f"p{number}", amount) for number in range(payments)]
