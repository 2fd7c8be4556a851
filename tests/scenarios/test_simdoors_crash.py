"""The house's doors, killed at each effect of a story that is told over HTTP.

The shop never gives up: it sends each order with its key until the answer is final. Whatever died,
every invariant of a whole run holds at the end, over the answers that the shop really saw.
"""

import gc
from typing import Any

import pytest

from actors.simulation.evidence import Asked as Try
from actors.simulation.evidence import Evidence, Heard, Live
from actors.simulation.house import GOOD
from actors.simulation.invariants import check_all
from payrail.domain.access import demo_records
from payrail.domain.people import KeyAdded
from payrail.runtime.sim import Call, Fault, SimCrash
from payrail.runtime.simfaults import Faults
from payrail.web.simnet import Asked
from payrail.web.simwire import Answer
from tests.scenarios.opendoors import OpenHouse

#: The shop waits so long before it asks again, and gives the house so many chances.
AGAIN_MS, TRIES_MAX = 500, 40
USERS = {
    (one.merchant_id, one.role): one.user_id
    for one in demo_records("")
    if isinstance(one, KeyAdded)
}


class Shop:
    """Tells the story, and brings back who died of it."""

    def __init__(self, victim: str, at: int = 0, kind: str = "") -> None:
        self.victim, self.at, self.kind = victim, at, kind
        self.calls: list[Call] = []
        self.tries: list[Try] = []
        self.sprung = False
        self.house = OpenHouse()
        self.house.faults = self._faults
        self._living(self.house.start)

    def _faults(self, name: str) -> Faults:
        return self._trap if name == self.victim else ()

    def _trap(self, call: Call) -> Fault | None:
        self.calls.append(call)
        if self.sprung or len(self.calls) != self.at:
            return None
        self.sprung = True
        return Fault(call.n, self.kind, kept_bytes=call.size_bytes // 2)  # type: ignore[arg-type]

    def _living(self, work: Any, *args: Any) -> None:
        """Do it, and once more if somebody died of it."""
        try:
            work(*args)
        except SimCrash:
            self.house.start(*(self.house.dead() or [self.victim]))
            self.house.run()

    def order(
        self, path: str, body: object, key: str, role: str = "admin", host: str = "api"
    ) -> Any:
        """The final answer's JSON."""
        for tried in range(1, TRIES_MAX + 1):
            came = self.house.send("POST", path, body, key=key, role=role, host=host)
            sent = self.house.sent
            self._living(self.house.run)
            waited = 0
            while not came and waited < 60:
                waited += 1
                self._living(self.house.wait, AGAIN_MS)
            answer = came[0] if came and isinstance(came[0], Answer) else None
            self.tries.append(self._try(sent, key, role, tried, answer))
            if answer is not None and answer.status in (200, 201):
                return answer.json()
            assert answer is None or answer.status in (202, 409, 502, 503, 504), answer
            self._living(self.house.wait, AGAIN_MS)
        raise AssertionError(f"{path} never came to an end")

    def _try(self, sent: Asked, key: str, role: str, tried: int, answer: Answer | None) -> Try:
        return Try(
            method=sent.method,
            path=sent.path,
            at_ms=0,
            merchant="m_001",
            user=USERS["m_001", role],
            role=role,
            key=key,
            body=sent.body,
            tried=tried,
            status=answer.status if answer else None,
            headers=answer.headers if answer else {},
            answer=answer.body if answer else b"",
        )

    def story(self) -> None:
        """A card, a payment, two captures, a refund that a second person approves, a webhook."""
        self.order("/webhook-endpoints", {"url": "https://shop.example/hooks"}, "endpoint")
        card = {"number": GOOD, "exp_month": 12, "exp_year": 2030, "cvc": "123", "name": "A B"}
        token = self.order("/tokenize", card, "card", host="vault")["token"]
        body = {"amount": 1099, "currency": "USD", "payment_method": token, "confirm": True}
        payment = self.order("/payment-intents", body, "pay")
        path = f"/payment-intents/{payment['id']}/capture"
        self.order(path, {"amount": 600, "final_capture": False}, "capture1")
        self.order(path, {"amount": 499}, "capture2")
        wish = {"payment_intent": payment["id"], "amount": 99, "reason": "sent back"}
        refund = self.order("/refunds", wish, "refund", role="operator")
        self.order(f"/refunds/{refund['id']}/approve", {}, "approve", role="approver")
        self._living(self.house.wait, 120_000)

    def judged(self) -> None:
        """Raises AssertionError with what is wrong."""
        house = self.house
        seen = Evidence(
            fs=house.fs,
            actors=tuple(house.actors),
            core=house.core,
            now=house.clock.now(),
            asked=self.tries,
            heard=[self._heard(asked) for asked in house.webhooks],
            live={
                name: Live(driver.loop.state, driver.loop.head, driver.blocked)
                for name, driver in house.drivers.items()
            },
            cards=(GOOD,),
            house_secret=house.secret,
        )
        findings = check_all(seen)
        assert not findings, str(findings)
        assert [one["operation"] for one in house.truths] == [
            *("authorize", "capture", "capture", "refund")
        ]
        assert not any(GOOD.encode() in line for log in house.logs.values() for line in log.lines)
        house.end()

    def _heard(self, asked: Asked) -> Heard:
        (endpoint,) = self.house.lines("data/access/changes.jsonl")[-1:]
        return Heard(
            endpoint_id=str(endpoint["endpoint_id"]),
            webhook_id=asked.headers["webhook-id"],
            body=asked.body,
            at_ms=0,
            status=204,
            headers={name.lower(): value for name, value in asked.headers.items()},
        )


@pytest.mark.parametrize("victim", ["frontdoor", "vault"])
def test_a_door_may_die_at_each_of_its_effects(victim):
    """Killed before or after it, or with half of it written: the shop has its answers, and nobody
    was charged twice."""
    whole = Shop(victim)
    whole.story()
    whole.judged()
    effects, cases = len(whole.calls), 0
    for at, call in enumerate(whole.calls, 1):
        for kind in ("crash_before", "crash_after", *(("torn",) if call.size_bytes > 1 else ())):
            shop, cases = Shop(victim, at, kind), cases + 1
            try:
                shop.story()
                shop.judged()
            except Exception as error:
                raise AssertionError(f"{victim} {at} {kind}: {call}") from error
            assert shop.sprung
    gc.collect()
    print(f"{victim}: {effects} effects, {cases} cases")
    assert effects > 20
