"""The clients of a kill run, against a door that behaves as a killed house does."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from actors.cli.chaos.claims import Claims
from actors.cli.chaos.client import Clients, Tally
from actors.cli.chaos.plans import APPROVED, DECLINED, Plan
from actors.cli.chaos.witness import History

KEYS = {"m_001": {"admin": "sk_test_1", "publishable": "pk_test_1"}}
DONE: dict[str, tuple[int, dict[str, Any]]] = {
    "tokenize": (201, {"token": "tok_1"}),
    "payment-intents": (201, {"id": "pi_1", "state": "created"}),
    "authorize": (200, {"id": "pi_1", "state": "authorized"}),
    "capture": (200, {"id": "pi_1", "state": "captured"}),
    "cancel": (200, {"id": "pi_1", "state": "reversed"}),
}


class Door:
    """Answers each verb with its troubles first, then as it should; 0 is a dropped connection."""

    def __init__(self, troubles: dict[str, list[int]], **instead: tuple[int, dict[str, Any]]):
        self._troubles, self._done = troubles, DONE | instead
        self.keys: dict[str, set[str]] = {}
        self.tries: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        verb = request.path.rsplit("/", 1)[1]
        self.tries[verb] += 1
        self.keys.setdefault(verb, set()).add(request.headers["Idempotency-Key"])
        trouble = self._troubles.get(verb)
        if not trouble:
            status, body = self._done[verb]
            return web.json_response(body, status=status)
        status = trouble.pop(0)
        if status == 0 and request.transport is not None:
            request.transport.abort()
        return web.json_response({"code": "overloaded"}, status=status or 500)


@asynccontextmanager
async def _clients(door: Door, history: Path) -> AsyncIterator[Clients]:
    app = web.Application()
    app.router.add_post("/{path:.*}", door.answer)
    written = History(history)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("/")).rstrip("/")
        yield Clients(url, url, KEYS, written, session)
    written.close()


def _plan(end: str, *, clicks_twice: bool = False) -> Plan:
    card = DECLINED[0] if end == "decline" else APPROVED[0]
    return Plan(1, "m_001", end, card, 1000, "USD", clicks_twice)


async def _paid(door: Door, history: Path, plan: Plan) -> Tally:
    async with _clients(door, history) as clients:
        await clients.run(iter([plan]), clients=2)
        return clients.tally


@pytest.mark.parametrize("status", [0, 202, 409, 503, 504])
async def test_a_client_asks_with_the_same_key_until_the_answer_is_final(
    tmp_path: Path, status: int
):
    """Dropped, in doubt, in flight and unavailable are sent again, each under its one key."""
    door = Door({verb: [status] for verb in DONE})

    tally = await _paid(door, tmp_path / "history.jsonl", _plan("capture"))

    assert tally.failures == []
    assert tally.states == {"captured": 1}
    assert {verb: len(keys) for verb, keys in door.keys.items()} == dict.fromkeys(
        ("tokenize", "payment-intents", "authorize", "capture"), 1
    )
    assert set(door.tries.values()) == {2}


async def test_the_history_tells_every_try(tmp_path: Path):
    """Sent and dropped, sent and answered: with the id, once it is known, and never the card."""
    door = Door({"payment-intents": [0]})

    await _paid(door, tmp_path / "history.jsonl", _plan("cancel"))

    text = (tmp_path / "history.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    creates = [line for line in lines if line["operation"] == "create"]
    assert [line["phase"] for line in creates] == ["invoke", "dropped", "invoke", "answer"]
    assert creates[-1]["payment_id"] == "pi_1"
    assert APPROVED[0] not in text


@pytest.mark.parametrize(
    "answer",
    [(500, {}), (404, {"code": "not-found"}), (409, {"code": "x", "retryable": False})],
)
async def test_what_no_kill_explains_is_a_failure(tmp_path: Path, answer: tuple[int, Any]):
    """A client does not wait for something that no waiting changes."""
    door = Door({}, capture=answer)

    tally = await _paid(door, tmp_path / "history.jsonl", _plan("capture"))

    assert len(tally.failures) == 1
    assert door.tries["capture"] == 1


async def test_a_decline_is_an_end(tmp_path: Path):
    """A declined card is answered 402, and its client goes no further."""
    door = Door({}, authorize=(402, {"code": "card-declined"}))

    tally = await _paid(door, tmp_path / "history.jsonl", _plan("decline"))

    assert tally.states == {"declined": 1}
    assert door.tries["capture"] == 0


async def test_a_double_click_sends_the_same_key_again(tmp_path: Path):
    """Some clients send a request again although it was answered; payments only."""
    door = Door({})

    await _paid(door, tmp_path / "history.jsonl", _plan("cancel", clicks_twice=True))

    assert door.tries == {"tokenize": 1, "payment-intents": 2, "authorize": 2, "cancel": 2}
    assert len(door.keys["cancel"]) == 1


async def test_a_cardholder_confirms_each_challenge_of_a_payment():
    """The second provider asks anew for what the first one refused after its own was confirmed."""
    done = {"state": "authorized", "next_action": None}
    seen, pressed = iter([_asking("/challenges/1"), _asking("/challenges/2"), done]), list[str]()

    async def look(_path: str) -> dict[str, Any] | None:
        return next(seen)

    async def press(path: str, _outcome: str) -> None:
        pressed.append(path)

    plan = Plan(1, "m_001", "challenge", APPROVED[0], 1000, "USD", clicks_twice=False)
    await Claims(plan, "pi_1", _nobody, look, press).confirm()

    assert pressed == ["/challenges/1", "/challenges/2"]


def _asking(url: str) -> dict[str, Any]:
    return {"state": "requires_action", "next_action": {"url": url}}


async def _nobody(_operation: str, path: str, _body: dict[str, Any]) -> tuple[int, Any]:
    raise AssertionError(path)
