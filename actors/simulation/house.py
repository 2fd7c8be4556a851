"""The house in one process over a simulated disk: gateway, vault, two providers and a merchant.

No HTTP and no real time: the merchant appends the front door's lines and reads its replies, the
clock is moved by hand. Every actor has a process of its own on the one disk, so that any of them
can be killed alone; a power cut takes all. The witness outlives both.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from actors.gateway.core import Gateway
from actors.gateway.settings import Rules
from actors.provider.batches import WORK as STATEMENT
from actors.provider.core import Provider
from actors.provider.seals import HpkeUnseal
from actors.provider.seals import open_keys as provider_keys
from actors.provider.statements import write_statement
from actors.simulation import orders
from actors.simulation.evidence import Fired
from actors.simulation.orders import Order
from actors.simulation.posts import SimPosts
from actors.simulation.waiting import is_waited_for
from actors.simulation.witness import EDGES, Question, Witness
from actors.vault.cardkeys import SHRED, shred_card
from actors.vault.cipher import Card
from actors.vault.core import Vault
from actors.vault.key_works import works_at_once
from actors.vault.keys import open_keys
from actors.vault.seals import HpkeSeals
from payrail.domain import cards
from payrail.domain.messages import ReplyLine, StoreCard
from payrail.domain.words.disputes import DisputeFact
from payrail.runtime.actor import Actor
from payrail.runtime.drafting import envelope_line
from payrail.runtime.driver import Driver
from payrail.runtime.errands import Outcome, SimErrands
from payrail.runtime.intake import World
from payrail.runtime.ports import Cell
from payrail.runtime.sim import (
    NOON_MS,
    Fault,
    NoBell,
    NoCell,
    SimClock,
    SimDisk,
    SimFs,
    SimRng,
    Survival,
)
from payrail.runtime.simfaults import Faults
from payrail.security.notices import Sent, Told, checked, notice_key, signed
from payrail.storage.lines import complete_lines

ACTORS = ("vault", "provider-a", "provider-b", "gateway")
PROVIDERS = {"provider-a": "providerA", "provider-b": "providerB"}
PEERS = {
    "gateway": ("frontdoor", "vault", *PROVIDERS),
    "vault": ("gateway", "vault.http", *PROVIDERS),
    "provider-a": ("vault", "gateway", "frontdoor"),
    "provider-b": ("vault", "gateway", "frontdoor"),
}
LEDGERS = tuple(f"data/ledger/{name}.jsonl" for name in ("payments", "refunds", "disputes"))
NOTICE_KEYS = {public: notice_key(b"a-simulated-house", public) for public in PROVIDERS.values()}
GOOD, DECLINED = "4242424242424242", "4000000000000002"


class SimHouse:
    """All actors over one disk."""

    actors: Sequence[str] = ACTORS
    fired: Sequence[Fired] = ()  # what was done to this house that changes what is right

    def __init__(
        self,
        disk: SimDisk | None = None,
        clock: SimClock | None = None,
        rules: Rules | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.disk = disk or SimDisk()
        self.fs = SimFs(self.disk)  # the merchant's, and everybody's reading glasses
        self.clock = clock or SimClock(NOON_MS, NOON_MS)
        self.rules = rules or Rules()
        self.witness = witness or Witness()
        self.faults: Callable[[str], Faults] = lambda _name: ()
        self.doors_closed = False  # providers' notices find nobody
        self.posted: list[Told] = []  # notices as the front door read them
        rng = self.rng = SimRng(7)
        self.keys = open_keys(self.fs, self.clock, rng)
        self.provider_keys = {
            name: provider_keys(self.fs, rng, name, public) for name, public in PROVIDERS.items()
        }
        self.after_turn: Callable[[str], None] = lambda _name: None
        self.drivers: dict[str, Driver[Any]] = {}
        self.processes: dict[str, SimFs] = {}
        self.at_work = ""  # whose turn it is: who dies when the process dies

    def start(self, *names: str) -> "SimHouse":
        """A new process for each of these actors, or for all; the old one is killed."""
        for name in names or self.actors:
            is_reborn = name in self.processes
            if is_reborn:
                self.processes[name].kill()
            self.at_work = name
            fs = self.processes[name] = SimFs(self.disk, faults=self.faults(name))
            if is_reborn and name == "vault":
                self.keys = open_keys(fs, self.clock, self.rng)
            self.drivers.pop(name, None)
            self.drivers[name] = Driver(self.core(name), self.world(name, fs))
        return self

    def world(self, name: str, fs: SimFs) -> World:
        """The ports of a new incarnation."""
        return World(fs, self.clock, NoBell(), self.cell(name), errands=self.errands(name, fs))

    def bury(self, name: str) -> None:
        """This actor's process is gone, and nobody starts another."""
        self.processes[name].kill()
        self.drivers.pop(name, None)

    def cut_power(self, survival: Survival) -> "SimHouse":
        """Everything dies, the doors too. Result: the house that is started afterwards."""
        disk = self.disk.after_crash(survival)
        self.witness.reborn()
        return type(self)(disk, self.clock, self.rules, self.witness)

    def errands(self, name: str, fs: SimFs) -> Any:
        """Who does this actor's work beside its loop."""
        return SimPosts(self, SimErrands(self.works(name, fs)))

    def cell(self, name: str) -> Cell:
        """The shared page of a new incarnation; here nobody looks at it."""
        del name
        return NoCell()

    def works(self, name: str, fs: SimFs) -> Mapping[str, Callable[[Any], Outcome]]:
        """What this actor does beside its loop, over the files of its own process."""
        if name in PROVIDERS:
            return {STATEMENT: partial(write_statement, fs)}
        if name == "vault":
            shred = {SHRED: partial(shred_card, fs)}
            return {**works_at_once(fs, self.rng, self.keys), **shred}
        return {}

    def core(self, name: str) -> Actor[Any]:
        if name == "gateway":
            return Gateway(self.rules, peers=PEERS[name])
        if name == "vault":
            vault = Vault(self.keys, HpkeSeals(self.fs))
            vault.peers = PEERS[name]
            return vault
        public = PROVIDERS[name]
        unseal = HpkeUnseal(self.provider_keys[name], public)
        return Provider(name, public, unseal=unseal, seed=42)

    # The merchant's side.

    def ask(self, kind: str, body: msgspec.Struct, re: str, receiver: str = "gateway") -> None:
        """Append one question; `re` is its name, also when it is asked again."""
        self.witness.questions[re] = Question(re, (kind, body), receiver)
        self._append(kind, body, re, receiver)

    def _append(self, kind: str, body: msgspec.Struct, re: str, receiver: str) -> None:
        sender = "vault.http" if receiver == "vault" else "frontdoor"
        self.witness.n[sender] += 1
        now_ms = self.clock.now().wire_ms
        line = envelope_line(
            sender=sender,
            receiver=receiver,
            n=self.witness.n[sender],
            epoch=self.witness.epoch,
            step=0,
            chain="",
            kind=kind,
            key=None,
            correlation_id=f"cor_{re}",
            causation_id=None,
            reply_to=re,
            sent_at_ms=now_ms,
            deadline_ms=now_ms + 3_600_000,
            body=msgspec.json.encode(body),
        )
        file = self.fs.open(f"mailboxes/{receiver}/{sender}.jsonl", create=True)
        torn = file.size() and file.pread(file.size() - 1, 1) != b"\n"
        file.append((b"\n" if torn else b"") + line + b"\n")
        file.close()

    def post_notice(self, sent: Sent) -> str:
        """A provider posts; the front door checks and asks the gateway. Result: its question."""
        provider, wall_ms = sent.notice.provider, self.clock.now().wall_ms
        body, headers = signed(sent, NOTICE_KEYS[provider], wall_ms)
        notice = checked(provider, body, headers, NOTICE_KEYS[provider], wall_ms)
        is_dispute = isinstance(notice, DisputeFact)
        if not is_dispute:
            assert notice == sent.notice
        self.posted.append(notice)
        re = f"notice{self.witness.epoch}.{len(self.posted)}"
        kind = "dispute.notice" if is_dispute else "provider.notice"
        self._append(kind, notice, re, "gateway")
        return re

    def notice_status(self, re: str) -> int | None:
        """The gateway's answer to a notice."""
        self.collect()
        found = self.replies.get(re)
        return found[-1].status if found else None

    def put(self, order: Order, re: str, receiver: str = "gateway") -> None:
        """Ask without waiting."""
        self.ask(*order, re, receiver)

    def say(self, order: Order, re: str, receiver: str = "gateway") -> tuple[int, dict[str, Any]]:
        """Ask and let the house come to rest. Result: (status, body) of the reply."""
        self.put(order, re, receiver)
        self.run()
        return self.answer(re)

    def drill(self, order: Order, provider: str = "provider-a") -> None:
        """Give a provider a fault rule."""
        status, _ = self.say(order, f"drill{len(self.witness.questions)}", provider)
        assert status == 201

    def tokenize(
        self, number: str, re: str = "tok", merchant: str = "m_001", holder: str = "", **fields: Any
    ) -> str:
        """Store a card as the vault's door does; result: its token."""
        token = f"tok_{re:0<32}"
        stored = self.keys.encrypt(token, Card(number, 12, 2030, holder))
        order = StoreCard(
            token=token,
            merchant_id=merchant,
            who="usr_m001admin",
            origin="test",
            brand=cards.brand_of(number),
            bin=cards.bin_of(number),
            last4=cards.last4(number),
            fingerprint=self.keys.fingerprint(merchant, number),
            exp_month=12,
            exp_year=2030,
            key_id=stored.key_id,
            ciphertext=stored.ciphertext,
            slot=stored.slot,
            **fields,
        )
        self.ask("card.store", order, re, "vault")
        return token

    def run(self, without: Sequence[str] = (), turns_max: int = 200) -> None:
        """Turn everybody, but for those that stand still, until nobody has anything to do."""
        for _ in range(turns_max):
            posted = len(self.posted)
            worked = [self.turn(name) for name in list(self.drivers) if name not in without]
            if not any(worked) and len(self.posted) == posted:
                self.collect()
                return
        raise AssertionError("the house never comes to rest")

    def turn(self, name: str) -> bool:
        self.at_work = name
        if not self.drivers[name].turn():
            return False
        self.after_turn(name)
        return True

    def wait(self, ms: int, without: Sequence[str] = ()) -> None:
        """Let time pass, and the house do what is due."""
        self.clock.advance_ms(ms)
        self.run(without)

    def collect(self) -> None:
        """Read every reply that lies in the doors' mailboxes."""
        for edge in EDGES:
            for name in self.actors:
                for line in complete_lines(self.bytes_of(f"mailboxes/{edge}/{name}.jsonl"))[0]:
                    self.witness.see(line)

    @property
    def replies(self) -> dict[str, list[ReplyLine]]:
        return self.witness.replies

    def answer(self, re: str) -> tuple[int, dict[str, Any]]:
        """(status, body) of the last reply to `re`."""
        reply = self.replies[re][-1]
        return reply.status, msgspec.json.decode(reply.body)

    def bytes_of(self, path: str) -> bytes:
        return self.fs.read(path) if self.fs.exists(path) else b""

    def lines(self, path: str) -> list[dict[str, Any]]:
        """A JSONL file, decoded; empty when there is none."""
        return [msgspec.json.decode(line) for line in complete_lines(self.bytes_of(path))[0]]

    def timers(self, name: str) -> list[str]:
        """What an actor waits for, but for what always stands and for people."""
        found = self.drivers[name].loop.head.timers
        return [timer for timer in found if is_waited_for(timer)]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The files of the ledger, in the order of their common `seq`."""
        found = [line for path in LEDGERS for line in self.lines(path)]
        return sorted(found, key=lambda entry: int(entry["seq"]))

    @property
    def truths(self) -> list[dict[str, Any]]:
        """What really happened, at the first provider and then at the second."""
        return [line for public in PROVIDERS.values() for line in self.truth_of(public)]

    def truth_of(self, public_name: str) -> list[dict[str, Any]]:
        return self.lines(f"data/providers/{public_name}_truth.jsonl")

    def types(self, ref: str) -> list[str]:
        """Types of the entries about one payment, in order."""
        return [entry["type"] for entry in self.entries if entry["ref"] == ref]

    @property
    def state(self) -> Any:
        """The gateway's."""
        return self.drivers["gateway"].loop.state


def fresh(rules: Rules | None = None) -> SimHouse:
    """A new house at noon, nobody in it yet."""
    return SimHouse(rules=rules)


def open_house(rules: Rules | None = None) -> tuple[SimHouse, str]:
    """A house at work, and the token of a good card of m_001."""
    house = fresh(rules).start()
    token = house.tokenize(GOOD, "card")
    house.run()
    return house, token


def authorized(house: SimHouse, token: str, name: str = "p", **fields: Any) -> str:
    """A payment that holds its money; result: its id."""
    order = orders.create(token, f"{name}_create", confirm=True, **fields)
    status, body = house.say(order, f"{name}_create")
    assert (status, body["state"]) == (201, "authorized")
    return str(body["id"])


__all__ = ["Fault", "SimHouse", "authorized", "fresh", "open_house"]
