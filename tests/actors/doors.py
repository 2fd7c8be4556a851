"""A front door over real HTTP in a home of its own, with actors that answer as a test says."""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
from pydantic import SecretStr

from actors.cli.stories.houses import free_ports
from actors.frontdoor.resident import Frontdoor
from payrail.domain.access import demo_records
from payrail.domain.books import ACCESS_BOOK
from payrail.domain.messages import Envelope, ReplyLine
from payrail.logs import make_logger
from payrail.runtime.bells import Bells
from payrail.runtime.cells import CellWriter, cell_path
from payrail.runtime.clocks import SystemClock, SystemRng
from payrail.runtime.control import taking_up
from payrail.settings import Settings
from payrail.steplog import StepLog
from payrail.storage.fs import RealFs
from payrail.storage.lines import GENESIS, chained, encode, hash_of, sealed
from payrail.storage.spool import SpoolReader, SpoolWriter
from payrail.web.access import demo_keys

HOUSE_SECRET = "house-secret-of-a-test"
INTERNAL = "internal-secret-of-a-test"
AT = "2026-02-09T12:00:00.000Z"


def book(home, path, records, seq=0, prev=GENESIS):
    """Append records to a chained book; result: (seq, hash) of its last line."""
    where = Path(home) / path
    where.parent.mkdir(parents=True, exist_ok=True)
    with where.open("ab") as file:
        for record in records:
            seq += 1
            line = chained(b'{"seq":%d,%b' % (seq, encode(record)[1:]), prev)
            prev = hash_of(line)
            file.write(line + b"\n")
    return seq, prev


def free_port():
    return free_ports(1)[0]


class FakeActor:
    """Answers what the front door asks; `answer(envelope)` gives (status, headers, body)."""

    def __init__(self, home, name, answer):
        fs = RealFs(str(home))
        self.name, self.answer, self.asked = name, answer, []
        self._reader = SpoolReader(fs, name, "frontdoor")
        self._writer = SpoolWriter(fs, name, "frontdoor")
        self._decode = msgspec.json.Decoder(Envelope).decode

    async def live(self):
        while True:
            for line in self._reader.read(65_536):
                envelope = self._decode(line)
                self.asked.append(envelope)
                answered = self.answer(envelope)
                if answered is not None:
                    self._reply(envelope, *answered)
            await asyncio.sleep(0.001)

    def _reply(self, envelope, status, headers, body):
        line = ReplyLine(
            id=f"{self.name}>frontdoor:re:{envelope.reply_to}",
            from_=self.name,
            to="frontdoor",
            kind="reply",
            re=envelope.reply_to,
            correlation_id=envelope.correlation_id,
            sent_at=AT,
            status=status,
            headers=headers,
            body=msgspec.Raw(body),
        )
        self._writer.append(sealed(encode(line)) + b"\n")


class Door:
    """What a test holds: the keys, the actors behind the door, and ways to ask."""

    def __init__(self, home, settings, control, gateway, provider, session):
        self.home, self.settings, self.control = home, settings, control
        self.gateway, self.provider, self.session = gateway, provider, session
        self.keys = demo_keys(demo_records(AT), HOUSE_SECRET.encode())
        self.service = (Path(home) / "data/secrets/service").read_text().strip()

    def url(self, path, *, inner=False):
        port = self.settings.provider_port if inner else self.settings.api_port
        return f"http://127.0.0.1:{port}{path}"

    def key(self, role="admin", merchant="m_001"):
        return self.keys[merchant][role]

    async def ask(self, method, path, body=None, *, key=None, raw=None, inner=False, **headers):
        """(status, headers, body as JSON or text)."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key != "":
            sent["Authorization"] = f"Bearer {key or self.key()}"
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(
            method, self.url(path, inner=inner), data=data, headers=sent
        ) as answer:
            text = await answer.text()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return answer.status, answer.headers, json.loads(text) if is_json and text else text


def echo(envelope):
    """A gateway that answers every order with what it was asked."""
    return 200, {}, encode({"kind": envelope.kind, "order": envelope.body})


async def _see_whole(door):
    """Writers of books serve for a moment; what is left of them is as it was."""
    paths = [cell_path(door.home, name) for name in ("gateway", "dispatcher", "vault")]
    strange = [path for path in paths if not path.exists()]
    for path in paths:
        cell = CellWriter(door.home, path.parent.name)
        cell.serve()
        cell.close()
    for read in ("/deliveries", "/audit/vault"):
        assert (await door.ask("GET", read))[0] == 200
    for path in strange:
        path.unlink()


@asynccontextmanager
async def open_door(home, *, gateway=echo, provider=echo, budget_ms=2_000, whole=True):
    """A running front door of the demo merchants; `whole`: who writes the books has served."""
    book(home, ACCESS_BOOK, demo_records(AT))
    settings = Settings(
        home=home,
        api_port=free_port(),
        provider_port=free_port(),
        request_budget_ms=budget_ms,
        house_secret=SecretStr(HOUSE_SECRET),
        internal_secret=SecretStr(INTERNAL),
        _env_file=None,
    )
    fs, logged = RealFs(str(home), durable=False), open(Path(home) / "log", "ab")  # noqa: SIM115
    bells = Bells(home)
    actors = FakeActor(home, "gateway", gateway), FakeActor(home, "provider-a", provider)
    resident = Frontdoor(
        home=str(home),
        settings=settings,
        fs=fs,
        clock=SystemClock(fs),
        rng=SystemRng(),
        bell=bells,
        log=make_logger("frontdoor", logged),
        steps=StepLog("frontdoor", logged, SystemClock()),
        actors=("gateway", "provider-a", "frontdoor"),
        providers=("provider-a",),
    )
    with taking_up(home, "frontdoor") as control:
        running = asyncio.create_task(resident.run(control))
        lives = [asyncio.create_task(actor.live()) for actor in actors]
        while not resident.addresses or control.cell.state != "serving":
            await asyncio.sleep(0.005)
            if running.done():
                running.result()
        try:
            async with aiohttp.ClientSession() as session:
                door = Door(home, settings, control, *actors, session)
                if whole:
                    await _see_whole(door)
                yield door
        finally:
            control.stop()
            for life in lives:
                life.cancel()
            await asyncio.gather(running, *lives, return_exceptions=True)
            bells.close()
            logged.close()
