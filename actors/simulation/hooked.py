"""The simulated house with a dispatcher and a merchant's endpoint that fails now and then."""

from collections.abc import Callable, Mapping
from typing import Any

from actors.dispatcher.core import Dispatcher
from actors.dispatcher.errands import Deliver, ReadMore, packer, read_more
from actors.dispatcher.settings import Policy
from actors.gateway.core import Gateway
from actors.simulation.evidence import Heard
from actors.simulation.house import ACTORS, PEERS, SimHouse
from actors.simulation.orders import Order
from payrail.domain.webhooks import SCHEDULES
from payrail.domain.words.endpoints import AddEndpoint, DeliveryDone
from payrail.runtime.actor import Actor
from payrail.runtime.errands import Outcome
from payrail.runtime.sim import SimFs, Survival

HOUSE_SECRET = b"a-simulated-house"
URL = "https://shop.example/hooks"
PROCESSED = "data/outbox/processed_events.json"


class Sink:
    """The merchant's end: it outlives every crash, and remembers all that it was sent."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes]] = []  # webhook-id and body
        self.all: list[Heard] = []  # the same, with all that came beside it
        self.status: Callable[[Deliver], int] = lambda _order: 204

    def hear(self, order: Deliver, headers: Mapping[str, str], body: bytes) -> int:
        webhook_id, status = headers["webhook-id"], self.status(order)
        self.heard.append((webhook_id, body))
        heard = Heard(
            endpoint_id=order.endpoint_id,
            webhook_id=webhook_id,
            body=body,
            at_ms=int(headers["webhook-timestamp"]) * 1_000,
            status=status,
            headers=headers,
        )
        self.all.append(heard)
        return status


class HookedHouse(SimHouse):
    """As `SimHouse`, and webhooks go out."""

    actors = (*ACTORS, "dispatcher")
    schedule = "demo"

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self.sink = Sink()

    def cut_power(self, survival: Survival) -> SimHouse:
        house = super().cut_power(survival)
        assert isinstance(house, HookedHouse)
        house.sink = self.sink
        return house

    def core(self, name: str) -> Actor[Any]:
        if name == "dispatcher":
            return Dispatcher(Policy(SCHEDULES[self.schedule]))
        if name == "gateway":
            return Gateway(self.rules, peers=(*PEERS[name], "dispatcher"))
        return super().core(name)

    def works(self, name: str, fs: SimFs) -> Mapping[str, Callable[[Any], Outcome]]:
        if name != "dispatcher":
            return super().works(name, fs)
        pack = packer(fs, self.clock, HOUSE_SECRET)

        def deliver(order: Deliver) -> Outcome:
            packed = pack(order)
            status = self.sink.hear(order, packed.headers, packed.body)
            told = DeliveryDone(order.endpoint_id, order.seq, order.attempt, status, None, 1, None)
            return "delivery.done", told

        def read(order: ReadMore) -> Outcome:
            return "events.found", read_more(fs, order)

        return {"deliver": deliver, "read": read}

    @property
    def events(self) -> list[dict[str, Any]]:
        """The merchants' events, without the links of their chain."""
        lines = self.lines("data/outbox/events.jsonl")
        return [
            {name: field for name, field in line.items() if name not in ("prev", "hash")}
            for line in lines
            if line["merchant_id"] is not None
        ]


def add_endpoint(key: str = "k_endpoint", url: str = URL) -> Order:
    return "endpoint.add", AddEndpoint(
        url=url, merchant_id="m_001", user_id="usr_1", idempotency_key=key, request_hash=key
    )
