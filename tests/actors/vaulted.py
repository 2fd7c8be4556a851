"""A real vault behind its real HTTP door, in a home of its own, for tests to ask."""

import asyncio
import json
from contextlib import asynccontextmanager, closing
from typing import Any

import aiohttp
from pydantic import SecretStr

from actors.vault.cardkeys import shredding
from actors.vault.core import Vault
from actors.vault.key_works import key_works
from actors.vault.keys import open_keys
from actors.vault.listener import vault_door
from actors.vault.seals import HpkeSeals
from payrail.domain.access import demo_records
from payrail.domain.books import ACCESS_BOOK
from payrail.logs import make_logger
from payrail.runtime.bells import Bells
from payrail.runtime.clocks import SystemClock, SystemRng
from payrail.runtime.control import taking_up
from payrail.runtime.resident import ActorResident, Place, all_works
from payrail.settings import Settings
from payrail.steplog import StepLog
from payrail.storage.fs import RealFs
from payrail.web.access import demo_keys
from payrail.web.whole import taken_as_whole
from tests.actors.doors import AT, HOUSE_SECRET, INTERNAL, book, free_port

NUMBER = "4242424242424242"
CARD: dict[str, Any] = {
    "number": NUMBER,
    "exp_month": 12,
    "exp_year": 2035,
    "cvc": "987",
    "name": "Ada Byron",
}
LOG = "data/vault/access_log.jsonl"


class Vaulted:
    def __init__(self, home, settings, session, driver):
        self.home, self.settings, self.session, self.driver = home, settings, session, driver
        self.keys = demo_keys(demo_records(AT), HOUSE_SECRET.encode())

    def key(self, role="admin", merchant="m_001"):
        return self.keys[merchant][role]

    async def ask(self, method, path, body=None, key=None):
        headers = {} if key == "" else {"Authorization": f"Bearer {key or self.key()}"}
        url = f"http://127.0.0.1:{self.settings.vault_port}{path}"
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            return answer.status, json.loads(await answer.text())

    async def token(self, **fields):
        status, body = await self.ask("POST", "/tokenize", {**CARD, **fields})
        assert status == 201, body
        return body["token"]

    def log(self):
        path = self.home / LOG
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def everything(self):
        return b"".join(path.read_bytes() for path in self.home.rglob("*") if path.is_file())


@asynccontextmanager
async def open_vault(home, must_be_whole=taken_as_whole):
    if not (home / ACCESS_BOOK).exists():
        book(home, ACCESS_BOOK, demo_records(AT))
    settings = Settings(
        home=home,
        vault_port=free_port(),
        house_secret=SecretStr(HOUSE_SECRET),
        internal_secret=SecretStr(INTERNAL),
        _env_file=None,
    )
    fs, clock, rng = RealFs(str(home), durable=False), SystemClock(), SystemRng()
    with closing(Bells(home)) as bells, (home / "log").open("ab") as logged:
        log, keys = make_logger("vault", logged), open_keys(fs, clock, rng)
        opened = vault_door(
            settings=settings,
            fs=fs,
            clock=clock,
            rng=rng,
            bell=bells,
            log=log,
            keys=keys,
            must_be_whole=must_be_whole,
        )
        drivers = []

        def door(driver, control):
            drivers.append(driver)
            return opened(driver, control)

        resident = ActorResident(
            Place("vault", str(home), fs, clock, bells, log, StepLog("vault", logged, clock)),
            lambda: Vault(keys, HpkeSeals(fs)),
            [door],
            all_works(lambda _c: key_works(fs, rng, keys), lambda _c: shredding(fs)),
        )
        with taking_up(home, "vault") as control:
            running = asyncio.create_task(resident.run(control))
            while control.cell.state != "serving":
                await asyncio.sleep(0.005)
                if running.done():
                    running.result()
            try:
                async with aiohttp.ClientSession() as session:
                    yield Vaulted(home, settings, session, drivers[0])
            finally:
                control.stop()
                await running
