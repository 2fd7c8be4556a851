"""The world of one run: whose turn it is, what goes wrong, and when time moves.

    World(plan, disk, trace) ──▶ open ──▶ play (faults on) ──▶ rest (faults off) ──▶ evidence

One thread and one chance. Among all who can do something one is picked and turned: the processes of
the machine, its supervisor, the net, the clients. When nobody can, time moves on to the next moment
at which somebody can: waiting costs nothing.
Never: decides anything for an actor or a shop.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from actors.gateway.settings import Rules
from actors.simulation.carried import poisoned_requests
from actors.simulation.clients import Clients
from actors.simulation.doubts import DRILL, ROUTING_TEXTS
from actors.simulation.evidence import (
    BAD_LINE,
    Evidence,
    Fired,
    HeadSeen,
    Live,
    Scarred,
)
from actors.simulation.flows import FLOWS
from actors.simulation.flows.house import SINK, clears, drills
from actors.simulation.flows.people import GARBAGE
from actors.simulation.forging import Forger
from actors.simulation.habits import drops_of, habits_of
from actors.simulation.mending import People
from actors.simulation.mischief import Mischief
from actors.simulation.quiet import Quiet
from actors.simulation.residents import FRONT, NAMES, Household
from actors.simulation.schedule import REQUESTS_MIN, Plan, Trouble, Wish, chance
from actors.simulation.shops import GOOD_CARDS, BusinessTime, Deed, Shop, Steps
from actors.simulation.sink import Sink
from actors.simulation.spares import Spares
from actors.simulation.trace import Trace
from payrail.domain.words.kinds import PROVIDERS
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import Chance, SimDisk, SimFs, SimRng
from payrail.runtime.simmachine import SUPERVISOR, SimMachine
from payrail.runtime.simtime import NOON_MS, SimTime
from payrail.web.simnet import Asked, NoAnswer, SimNet
from payrail.web.simwire import Answer

RULES = Rules(demo=True, challenge_key=b"a-simulated-house")
#: With faults a run takes at most so long, in simulated time.
SAFETY_MS = 45_000
#: A house that is not up by then never is.
UP_MS_MAX = 20_000
#: Of so many turns of an actor one is looked at by a witness.
WITNESSED = 16
#: A turn may be cut in two by that of another, and that one too.
NESTED_MAX = 3
_NEVER = 1 << 62


class NeverEnds(Exception):
    """The world did not come to rest within its bounds."""


class World:
    """One run's."""

    def __init__(self, plan: Plan, disk: SimDisk, trace: Trace, steps_max: int) -> None:
        self.plan, self.trace, self._steps_max = plan, trace, steps_max
        self._chance = chance(plan.seed, "turns")
        disk.drops = drops_of(plan.seed)
        self.machine = SimMachine(disk, SimTime())
        self.net = SimNet(self.machine.time.clock(), told=self._carried)
        self.mischief = Mischief(plan, self.machine, trace)
        self.net.fate = self.mischief.lasting.fate
        self.sink = Sink(self.machine, self.mischief.lasting.sink_status)
        self.net.sink(SINK, self.sink.take)
        rng = SimRng(plan.seed)
        habits = habits_of(plan.seed)
        self.household = Household(self.machine, self.net, rng, RULES, *habits)
        forger = Forger(self.household.house_secret, self.machine.time)
        self.clients = Clients(
            self.net, self.machine.time, self.household.keys, trace, self._deed, forger
        )
        self._quiet = Quiet(self.machine, self.net, self.household, self.clients)
        self.machine.told = self._told
        self.mischief.between = self._between
        self.heads: list[HeadSeen] = []
        self.errors: list[str] = []  # what actors logged that no fault explains
        self.restarts: Counter[str] = Counter()
        self.steps = self._ends_seen = self._people = 0
        self._business = BusinessTime(is_mail_damaged=lambda: self.mischief.counts["mail rot"] > 0)
        self._boots_ms: int | None = None
        self._at_work: list[str] = []  # whose turns are not over, the innermost last
        self._is_over = False

    # The phases.

    def open(self) -> None:
        """Start the house, without faults. Raises NeverEnds."""
        self.machine.start()
        self._until(lambda: self._quiet.all_serve, UP_MS_MAX, "open")

    def play(self) -> None:
        """Faults on: until every shop has what it wished for, or has waited long enough for what a
        fault keeps from it."""
        began_ms = self.machine.now_ms
        if self.plan.routing:
            self.household.save_rules("routing.toml", ROUTING_TEXTS[self.plan.routing])
        for wish in self.plan.wishes:
            if not wish.spare:
                self._want(wish, began_ms + wish.at_ms)
        spares = Spares(self.plan.wishes, began_ms)
        self.mischief.is_calm = False
        while (now_ms := self.machine.now_ms) - began_ms < SAFETY_MS:
            is_little = self.clients.requests < REQUESTS_MIN or self.mischief.lacks_faults
            is_over = self.clients.are_over
            if is_little and (spare := spares.due(now_ms, is_over=is_over)):
                self._want(spare, now_ms)
            elif is_over:
                break
            else:
                self._step()

    def _want(self, wish: Wish, at_ms: int) -> None:
        self.clients.add(wish, FLOWS[wish.flow].play(self._shop(wish)), at_ms)

    def kill_somebody(self) -> None:
        """The restart that every schedule has, if none came: between two turns."""
        name = self._chance.choice(NAMES)
        self.mischief.note("kill", name)
        self.machine.kill(name)
        self._bury()

    def rest(self, ms_max: int) -> None:
        """Faults off, drills cleared: until nobody has anything to do or to wait for. Raises
        NeverEnds."""
        self.mischief.calm()
        for name in NAMES:
            self.machine.order(name, "release")  # of whoever is held: its disk is good again
        for provider in PROVIDERS:
            self._ask_by_hand(partial(clears, provider=provider))
        self._until(lambda: self._is_at_rest, ms_max, "rest")
        people = People(self.plan.seed, self.machine, NAMES[:-1])
        while people.mend():
            self._until(lambda: self._is_at_rest, ms_max, "rest after dead letters")

    def evidence(self) -> Evidence:
        """What witnesses saw, and the files."""
        fs = SimFs(self.machine.disk)
        names, rotten, mended = NAMES[:-1], self.mischief.rot.tails, self.mischief.rot.mended
        ids, heard = self.clients.endpoints, self.sink.heard
        poisoned = poisoned_requests(self.mischief.fired, self.machine.disk)
        return Evidence(
            fs=fs,
            actors=names,
            core=self.household.core,
            now=self.machine.time.clock(fs).now(),
            asked=self.clients.tries,
            heard=[replace(one, endpoint_id=ids.get(one.endpoint_id, "")) for one in heard],
            heads=[one for one in self.heads if (one.path, one.line) not in rotten],
            scars=[*self.mischief.mail.seen(), *(Scarred(p, False) for p in mended)],
            begun=self.household.begun,
            closes_letters=True,
            fired=[*self.mischief.fired, *poisoned],
            live={name: self._live(name) for name in names if self._quiet.lives(name)},
            cards=self._used_cards(),
            house_secret=self.household.house_secret,
        )

    def _used_cards(self) -> list[str]:
        told = [one.body for one in self.clients.tries if one.path == "/tokenize"]
        return [card for card in GOOD_CARDS if any(card.encode() in body for body in told)]

    def close(self) -> None:
        """Let go of every process."""
        self._is_over = True
        self.machine.kill(SUPERVISOR)
        self._bury()

    # Turns.

    def _until(self, is_done: Callable[[], bool], ms_max: int, what: str) -> None:
        until_ms = self.machine.now_ms + ms_max
        while not is_done():
            self._step()
            if self.machine.now_ms > until_ms:
                raise NeverEnds(f"no {what} within {ms_max} ms: {self._quiet.who_waits()}")

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self._steps_max:
            raise NeverEnds(f"more than {self._steps_max} steps: {self._quiet.who_waits()}")
        while self.mischief.begun:
            self._begin(self.mischief.begun.pop(0))
        if self.mischief.lasting.end_due() or self._boots():
            return
        now_ms = self.machine.now_ms
        labels = self.machine.runnable()
        clients = self.clients.ready(now_ms)
        carries = (self.net.next_due_ms() or _NEVER) <= now_ms
        count = len(labels) + len(clients) + carries
        if not count:
            self._pass()
            return
        picked = int(self._chance.random() * count)
        if picked < len(labels):
            self._turn(labels[picked])
        elif picked < len(labels) + len(clients):
            self.clients.go_on(clients[picked - len(labels)])
        else:
            self.net.turn()
        self._bury()

    def _turn(self, label: str) -> None:
        self._at_work.append(label)
        self.machine.turn(label)
        self._at_work.pop()
        if label in NAMES and self._chance.random() * WITNESSED < 1:
            self._witness(label)

    def _between(self) -> None:
        """Somebody else turns in the middle of a turn, before its next effect: processes share the
        files, synced or not."""
        ready = [label for label in self.machine.runnable() if label not in self._at_work]
        if SUPERVISOR in ready:
            ready.remove(SUPERVISOR)
        if ready and len(self._at_work) < NESTED_MAX:
            self._turn(self._chance.choice(ready))

    def _pass(self) -> None:
        """Nobody can do anything: time moves on."""
        now_ms = self.machine.now_ms
        due = (
            self.machine.next_due_ms(),
            self.net.next_due_ms(),
            self.mischief.lasting.next_ms(),
            self._boots_ms,
        )
        at_ms = min([self.clients.next_ms(), *(ms for ms in due if ms is not None)])
        if at_ms >= _NEVER:
            raise NeverEnds(f"nothing will ever happen: {self._quiet.who_waits()}")
        ms = max(1, at_ms - now_ms)
        self.trace.add(f"+{ms}")
        self.machine.pass_ms(ms, at_once=True)

    # Deaths and boots.

    def _bury(self) -> None:
        """See who died, and let all of it go; a death of the machine takes the others."""
        ends = self.machine.ends
        while self._ends_seen < len(ends):
            ended = ends[self._ends_seen]
            self._ends_seen += 1
            self.trace.add(f"ended {ended.name} {ended.code} {ended.error!r}")
            self.restarts[ended.name] += not self._is_over
            self.household.ended(ended.pid)
            dying, self.mischief.dying = self.mischief.dying, None
            if dying is not None and dying.kind in ("kill all", "power cut"):
                self._all_die(dying)

    def _all_die(self, dying: Trouble) -> None:
        if dying.kind == "power cut":
            self.mischief.power_cut()
            self.machine.cut_power(Chance(chance(self.plan.seed, "survival", dying.number)))
        else:
            self.machine.kill(SUPERVISOR)
        self._boots_ms = self.machine.now_ms + self._chance.randint(10, 500)

    def _boots(self) -> bool:
        if self._boots_ms is None or self._boots_ms > self.machine.now_ms:
            return False
        self._boots_ms = None
        self.machine.start()
        return True

    # Faults that are people's.

    def _begin(self, one: Trouble) -> None:
        if one.kind == DRILL:  # It is noted when a provider has used it.
            self._ask_by_hand(lambda shop: drills(shop, one.target, one.how))
        elif one.kind == "time passes":
            self._ask_by_hand(lambda shop: self._advances(shop, one))
        else:
            self.mischief.begin(one)

    def _advances(self, shop: Shop, one: Trouble) -> Steps[None]:
        yield from shop.advanced(one.how)
        self.mischief.note(one.kind, about=one.how)

    def _ask_by_hand(self, steps: Callable[[Shop], Steps[None]]) -> None:
        """Somebody of the house asks something."""
        self._people += 1
        wish = Wish(-self._people, "people", "m_001", 1, "USD", 0, clicks_twice=False, choice=0)
        self.clients.add(wish, steps(self._shop(wish)), self.machine.now_ms)

    def _shop(self, wish: Wish) -> Shop:
        own = chance(self.plan.seed, "shop", wish.number)
        return Shop(wish, own, self._business)

    def _deed(self, deed: Deed) -> None:
        if deed.what == "rules":
            self.household.save_rules(deed.name, deed.text)
        elif deed.what == "hand":
            self.household.write_by_hand(deed.name, deed.text)
            if deed.text == GARBAGE:
                self.mischief.fired.append(Fired(BAD_LINE, actor=deed.name))

    # Witnesses.

    def _witness(self, name: str) -> None:
        if not self._quiet.lives(name) or name == FRONT:
            return
        loop = self.machine.driver(name).loop
        if loop.durable < loop.head.step:
            return  # It died before this was on the disk, and is about to be buried.
        head = loop.head
        seen = HeadSeen(
            path=journal_path(name),
            line=head.step,
            hash=head.hash,
            epoch=head.epoch,
            at_ms=NOON_MS + self.machine.now_ms,
        )
        self.heads.append(seen)

    def _carried(self, what: str, asked: Asked, _came: Answer | NoAnswer | None) -> None:
        self.clients.forger.overhear(what, asked)
        self.trace.add(f"net {what} {asked.host} {asked.method} {asked.path}")

    def _told(self, actor: str, _level: str, event: str, fields: object) -> None:
        self.trace.add(f"log {actor} {event}")
        if event == "decide.failed":
            self.errors.append(f"{actor}: {event} {fields}")

    # What is so.

    def _live(self, name: str) -> Live:
        driver = self.machine.driver(name)
        return Live(driver.loop.state, driver.loop.head, driver.blocked, driver.loop.faults)

    @property
    def _is_at_rest(self) -> bool:
        return self._boots_ms is None and self._quiet.is_at_rest
