"""The world of one run: whose turn it is, what goes wrong, and when time moves.

One thread and one chance. Among all who can do something one is picked and turned; when nobody can,
time moves on to the next moment at which somebody can: waiting costs nothing. Faults come at the
effects that the plan names. Never: decides anything for an actor or a shop.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from actors.simulation import orders
from actors.simulation.faults import DEATHS, GROWTH, KINDS, PROVIDERS, fault_at, fits
from actors.simulation.flows import FLOWS, reads
from actors.simulation.schedule import REQUESTS_MIN, Plan, Trouble, Wish, chance
from actors.simulation.shops import Answer, Ended, Pause, Request, Shop, Steps, Strange
from actors.simulation.short import ShortDoor
from actors.simulation.trace import Trace
from actors.simulation.whole import RULES, WholeHouse, copied
from payrail.errors import Damage, JournalLost
from payrail.runtime.sim import Call, Chance, Fault, SimClock, SimCrash, SimDisk
from payrail.runtime.simfaults import Faults

#: A client gives up waiting for an answer after so long, and asks again.
TRY_MS_MAX = 15_000
#: Who follows books or waits for a disk looks so often; everybody else is rung for.
LOOK_MS = 250
#: With faults a run takes at most so long, in simulated time.
SAFETY_MS = 45_000
#: An idempotency key lives longer than this, in business time.
KEYS_MS_MIN = 23 * 3_600_000
#: A dead actor is back after so long.
RESTART_MS_MIN, RESTART_MS_MAX = 5, 400
_NEVER = 1 << 62


class NeverEnds(Exception):
    """The world did not come to rest within its bounds."""


@dataclass
class Client:
    """One shop's wish on its way."""

    wish: Wish
    shop: Shop
    steps: Steps[None]
    waits_for: str | None = None  # the question's name
    asked: Request | None = None
    until_ms: int = 0  # when it goes on: of a pause, or of an answer that does not come
    is_over: bool = False
    end: str = ""


@dataclass
class Tally:
    """What a run was, in numbers."""

    steps: int = 0
    requests: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)


class World:
    """One run's."""

    def __init__(self, plan: Plan, disk: SimDisk, trace: Trace) -> None:
        self.plan, self.trace, self.tally = plan, trace, Tally()
        self._chance = chance(plan.seed, "turns")
        self.house = WholeHouse(copied(disk), SimClock(), RULES)
        self._adopt(self.house)
        self.door = ShortDoor(self.house)
        self._awake: set[str] = set(self.house.actors)
        self._back_ms: dict[str, int] = dict.fromkeys(self.house.actors, 0)  # dead until then
        self._still_until_ms: dict[str, int] = {}
        self._looks_ms: dict[str, int] = {}
        self._full_until_ms = self._deaf_until_ms = self._sink_until_ms = 0
        self._sink_status = 204
        self._pending = sorted(plan.troubles, key=lambda one: one.at)
        self._due: list[Trouble] = []  # that began, and are to be done between two turns
        self._dying: Trouble | None = None
        self._effects, self._hopped_ms, self._is_calm = 0, 0, False
        self.failures: list[str] = []
        self.clients = [self._client(wish) for wish in plan.wishes]
        self._is_started = False

    def _adopt(self, house: WholeHouse) -> None:
        house.faults = self._faults_of
        house.rings = self._rung
        house.sink.status = lambda _order: self._sink_now()

    def _client(self, wish: Wish) -> Client:
        shop = self._shop(wish)
        return Client(wish, shop, FLOWS[wish.flow].play(shop), until_ms=wish.at_ms)

    def _shop(self, wish: Wish) -> Shop:
        own = chance(self.plan.seed, "shop", wish.number)
        return Shop(wish, own, lambda: self._hopped_ms >= KEYS_MS_MIN)

    def _reader(self) -> Client:
        """Somebody who looks at what there is, in place of orders that ended early."""
        wish = replace(self.plan.wishes[0], number=0, flow="reads")
        shop = self._shop(wish)
        missing = REQUESTS_MIN - self.tally.requests
        return Client(wish, shop, reads(shop, missing), until_ms=self.now_ms)

    @property
    def _all_over(self) -> bool:
        return all(client.is_over for client in self.clients)

    # Time.

    @property
    def now_ms(self) -> int:
        """Since the beginning."""
        return self.house.clock.monotonic_ms()

    def _move(self, to_ms: int) -> None:
        ms = to_ms - self.now_ms
        if ms > 0:
            self.house.clock.advance_ms(ms)
            self.trace.add(f"+{ms}")

    # The two phases.

    def play(self, steps_max: int) -> None:
        """Faults on: until every shop has what it wished for, or has waited long enough for what
        a drill keeps from it. Raises NeverEnds."""
        while not self._all_over and self.now_ms < SAFETY_MS:
            self._step(steps_max)

    def rest(self, steps_max: int, ms_max: int) -> None:
        """Faults off, drills cleared: until nobody has anything to do or to wait for. Raises
        NeverEnds."""
        self.calm()
        if self.tally.requests < REQUESTS_MIN and not self.plan.left_out:
            self.clients.append(self._reader())
        began_ms = self.now_ms
        while not self._is_at_rest():
            self._step(steps_max)
            if self.now_ms - began_ms > ms_max:
                raise NeverEnds(f"no rest within {ms_max} ms: {self._who_waits()}")

    def calm(self) -> None:
        """No more faults: who is dead comes back, the disk has room, drills are cleared."""
        self._is_calm = True
        self._pending, self._due = [], []
        self._full_until_ms = self._deaf_until_ms = self._sink_until_ms = 0
        self._still_until_ms.clear()
        for name in ("provider-a", "provider-b"):
            kind, body = orders.clear()
            self.house._append(kind, body, f"clear{name}", name)
            self._rung(name)

    def kill_somebody(self) -> None:
        """The restart that every schedule has, if none came: between two turns."""
        name = self._chance.choice(self.house.actors)
        self.tally.fired["kill"] += 1
        self.trace.add(f"kill {name}")
        self._dies(name)

    def _is_at_rest(self) -> bool:
        if self._back_ms or self._awake or not self._all_over:
            return False
        drivers = self.house.drivers
        if any(drivers[name].loop.state.notices for name in PROVIDERS):
            return False
        return not any(self.house.timers(name) or drivers[name].blocked for name in drivers)

    def _who_waits(self) -> str:
        shops = [f"wish {client.wish.number}" for client in self.clients if not client.is_over]
        timers = [
            f"{n}: {self.house.timers(n)}" for n in self.house.drivers if self.house.timers(n)
        ]
        blocked = [f"{n} is blocked" for n, driver in self.house.drivers.items() if driver.blocked]
        return "; ".join([*shops, *timers, *blocked, *(f"{n} is dead" for n in self._back_ms)])

    # Turns.

    def _step(self, steps_max: int) -> None:
        self.tally.steps += 1
        if self.tally.steps > steps_max:
            raise NeverEnds(f"no rest within {steps_max} steps: {self._who_waits()}")
        while self._due:
            begun = self._due.pop(0)
            begin = KINDS[begun.kind].begin
            if begin is not None:
                begin(self, begun)
        ready = self._ready()
        if ready:
            ready[int(self._chance.random() * len(ready))]()
        else:
            self._move(self._next_ms())

    def _ready(self) -> list[Callable[[], None]]:
        now_ms = self.now_ms
        ready: list[Callable[[], None]] = []
        for name, at_ms in self._back_ms.items():
            if at_ms <= now_ms:
                ready.append(lambda name=name: self._start(name))  # type: ignore[misc]
        for name in self.house.drivers:
            if name in self._back_ms or self._still_until_ms.get(name, 0) > now_ms:
                continue
            if name in self._awake or self._looks_ms.get(name, _NEVER) <= now_ms:
                ready.append(lambda name=name: self._turn(name))  # type: ignore[misc]
        for client in self.clients:
            if not client.is_over and self._can_go_on(client, now_ms):
                ready.append(lambda client=client: self._go_on(client))  # type: ignore[misc]
        return ready

    def _next_ms(self) -> int:
        now_ms = self.now_ms
        times = [*self._back_ms.values()]
        for name in self.house.drivers:
            if name not in self._back_ms:
                times.append(
                    max(self._looks_ms.get(name, _NEVER), self._still_until_ms.get(name, 0))
                )
        times.extend(client.until_ms for client in self.clients if not client.is_over)
        at_ms = min(times, default=_NEVER)
        if at_ms >= _NEVER:
            raise NeverEnds(f"nothing will ever happen: {self._who_waits()}")
        return max(now_ms + 1, at_ms)

    def _turn(self, name: str) -> None:
        self._awake.discard(name)
        try:
            worked = self.house.turn(name)
        except SimCrash:
            self._died(name)
            return
        except (JournalLost, OSError, Damage) as error:
            self.trace.add(f"exit {name} {type(error).__name__}")
            self._dies(name)
            return
        if worked:
            self._awake.add(name)
            if name == "gateway":
                self._rung("dispatcher")  # it follows the gateway's book, and nobody rings for that
        if name in PROVIDERS and self.house.drivers[name].loop.state.notices:
            self._rung("gateway")
        self._note_wait(name)

    def _note_wait(self, name: str) -> None:
        """When it looks again although nobody rings."""
        driver = self.house.drivers[name]
        due_ms = driver.intake.next_due_ms(self.house.clock.now())
        if driver.blocked or (name in PROVIDERS and driver.loop.state.notices):
            due_ms = min(LOOK_MS, LOOK_MS if due_ms is None else due_ms)
        self._looks_ms[name] = _NEVER if due_ms is None else self.now_ms + max(1, due_ms)

    def _rung(self, name: str) -> None:
        if name in self.house.drivers:
            self._awake.add(name)

    # Deaths and births.

    def _died(self, name: str) -> None:
        """A process died at an effect: alone, with all others, or with the machine."""
        died_of, self._dying = self._dying, None
        kind = died_of.kind if died_of else "kill"
        if kind == "power cut" and died_of is not None:
            survival = Chance(chance(self.plan.seed, "survival", died_of.number))
            self.house.collect()
            house = self.house.cut_power(survival)
            assert isinstance(house, WholeHouse)
            self._adopt(house)
            self.house = self.door.house = house
            self.door._offsets.clear()
        if kind in ("power cut", "kill all"):
            for one in self.house.actors:
                self._dies(one)
        else:
            self._dies(name)

    def _dies(self, name: str) -> None:
        if name in self.house.processes:
            self.house.processes[name].kill()
        self.house.drivers.pop(name, None)
        self._awake.discard(name)
        self._looks_ms.pop(name, None)
        self._still_until_ms.pop(name, None)
        self._back_ms[name] = self.now_ms + self._chance.randint(RESTART_MS_MIN, RESTART_MS_MAX)

    def _start(self, name: str) -> None:
        del self._back_ms[name]
        if name in self.house.processes:
            self.tally.restarts[name] += 1
        self.trace.add(f"start {name}")
        try:
            self.house.start(name)
        except SimCrash:
            self._died(name)
        except (JournalLost, OSError, Damage) as error:
            self.trace.add(f"exit {name} {type(error).__name__}")
            self._dies(name)
        else:
            self._awake.add(name)

    # Faults.

    def _faults_of(self, name: str) -> Faults:
        return lambda call: self._effect(name, call)

    def _effect(self, name: str, call: Call) -> Fault | None:
        self._effects += 1
        self.trace.add(f"{name} {call.op} {call.path} {call.size_bytes}")
        if self._full_until_ms > self.now_ms and call.op in GROWTH:
            return Fault(call.n, "error", errno=28)
        if not self._pending or self._pending[0].at > self._effects or self._is_calm:
            return None
        for at, one in enumerate(self._pending):
            if one.at > self._effects:
                return None
            if fits(one, name, call):
                del self._pending[at]
                return self._comes(one, call)
        return None

    def _comes(self, one: Trouble, call: Call) -> Fault | None:
        self.tally.fired[one.kind] += 1
        self.trace.add(f"fault {one.number} {one.kind}")
        if KINDS[one.kind].begin is not None:
            self._due.append(one)
            return None
        if one.kind in DEATHS:
            self._dying = one
        return fault_at(one, call)

    def slow(self, actor: str, ms: int) -> None:
        self._still_until_ms[actor] = self.now_ms + ms

    def stop(self, actor: str, ms: int) -> None:
        self._still_until_ms[actor] = self.now_ms + ms

    def fill_disk(self, ms: int) -> None:
        self._full_until_ms = self.now_ms + ms

    def drill(self, provider: str, rule: str) -> None:
        operation, do, count = rule.split()
        kind, body = orders.drill(do, operation, count=int(count))
        self.house._append(kind, body, f"drill{self._effects}", provider)
        self._rung(provider)

    def break_sink(self, status: int, ms: int) -> None:
        self._sink_status, self._sink_until_ms = status, self.now_ms + ms

    def pass_time(self, business_ms: int) -> None:
        self._hopped_ms += business_ms
        self.house.clock.advance_business_ms(business_ms)
        for name in self.house.drivers:
            self._note_wait(name)

    def lose_answers(self, ms: int) -> None:
        self._deaf_until_ms = self.now_ms + ms

    def _sink_now(self) -> int:
        return self._sink_status if self._sink_until_ms > self.now_ms else 204

    # Shops.

    def _can_go_on(self, client: Client, now_ms: int) -> bool:
        if client.until_ms <= now_ms:
            return True
        return client.waits_for is not None and self.door.answer(client.waits_for) is not None

    def _go_on(self, client: Client) -> None:
        answer = self._answer_of(client)
        client.waits_for = None
        try:
            wanted = client.steps.send(answer) if client.asked else next(client.steps)
        except StopIteration:
            self._ends(client, "done")
            return
        except Ended as end:
            self._ends(client, f"ended: {end}")
            return
        except Strange as strange:
            self.failures.append(f"wish {client.wish.number} ({client.wish.flow}): {strange}")
            self._ends(client, "strange")
            return
        self._wants(client, wanted)

    def _answer_of(self, client: Client) -> Answer | None:
        if client.waits_for is None:
            return None
        answer = self.door.answer(client.waits_for)
        if answer is not None and self._deaf_until_ms > self.now_ms:
            answer = None  # it came, and was lost on the way
        told = f"{answer.status}" if answer else "none"
        self.trace.add_bytes(f"answer {client.wish.number} {told}", answer.data if answer else b"")
        return answer

    def _wants(self, client: Client, wanted: object) -> None:
        client.asked = client.asked or Request("", "", None, None, "", "")
        if isinstance(wanted, Request):
            client.asked = wanted
            self.tally.requests += 1
            self.trace.add(f"ask {client.wish.number} {wanted.method} {wanted.path} {wanted.key}")
            client.waits_for = self.door.send(wanted)
            self._rung(self.door.receiver(wanted))
            client.until_ms = self.now_ms + TRY_MS_MAX
        elif isinstance(wanted, Pause):
            client.until_ms = self.now_ms + wanted.ms

    def _ends(self, client: Client, how: str) -> None:
        client.is_over, client.end = True, how
        self.tally.ends[f"{client.wish.flow}: {how.partition(':')[0]}"] += 1
        self.trace.add(f"end {client.wish.number} {how}")
