"""A merchant's end of webhooks that fails on purpose, and remembers everything it was sent.

    python -m actors.cli.chaos.sink --port 9026 --witness sink.jsonl

Witness: one JSON line for each delivery, written before it is answered: `at, merchant, webhook_id,
body_sha, status`, and `refused` where no shop would have accepted it. Status 0 is a hang-up.
"""

import argparse
import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from standardwebhooks.webhooks import Webhook

from actors.cli.chaos.witness import Witness
from actors.cli.listening import listening_at

#: How it fails: with a status, or (0) by hanging up without an answer.
FAILURES = (500, 502, 404, 302, 0)


class Sink:
    """Verifies each delivery as a shop would, with the library that shops use. A merchant whose
    secret it does not know is not verified."""

    def __init__(self, *, failing: float, seed: int, witness: Path | None = None) -> None:
        self._failing, self._chance = failing, random.Random(seed)
        self.witness = Witness(witness) if witness else None
        self.secrets: dict[str, str] = {}  # by merchant
        self.bodies: dict[str, set[bytes]] = {}  # by webhook-id
        self.arrived: Counter[str] = Counter()  # answered with 2xx, by webhook-id
        self.failed = 0
        self.refused: list[str] = []  # what no shop would accept
        self.url = ""

    @property
    def heard(self) -> int:
        return self.failed + self.arrived.total()

    @property
    def address(self) -> str:
        """What PAYRAIL_WEBHOOK_ALLOW must list."""
        return self.url.removeprefix("http://")

    async def hear(self, request: web.Request) -> web.Response:
        body = await request.read()
        merchant, webhook_id = request.match_info["merchant"], request.headers["webhook-id"]
        refused = self._check(merchant, body, request.headers)
        self.bodies.setdefault(webhook_id, set()).add(hashlib.sha256(body).digest())
        status = 204
        if self._chance.random() < self._failing:
            status = self._chance.choice(FAILURES)
        self._write(merchant, webhook_id, body, status, refused)
        if status == 204:
            self.arrived[webhook_id] += 1
            return web.Response(status=204)
        self.failed += 1
        if not status and request.transport is not None:
            request.transport.close()
        return web.Response(status=status or 500, headers={"Location": "/elsewhere"})

    def _check(self, merchant: str, body: bytes, headers: Mapping[str, str]) -> str | None:
        """What is wrong with a delivery, None for nothing."""
        if merchant not in self.secrets:
            return None
        wrong = None
        try:
            told = Webhook(self.secrets[merchant]).verify(body, dict(headers))
            if (told["id"], told["merchant_id"]) != (headers["webhook-id"], merchant):
                wrong = f"{told['id']} came as {headers['webhook-id']} to {merchant}"
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        if wrong is not None:
            self.refused.append(wrong)
        return wrong

    def _write(
        self, merchant: str, webhook_id: str, body: bytes, status: int, refused: str | None
    ) -> None:
        if self.witness is None:
            return
        self.witness.write(
            merchant=merchant,
            webhook_id=webhook_id,
            body_sha=hashlib.sha256(body).hexdigest(),
            status=status,
            **({"refused": refused} if refused else {}),
        )

    def close(self) -> None:
        if self.witness is not None:
            self.witness.close()


@asynccontextmanager
async def listening(sink: Sink, port: int = 0) -> AsyncIterator[Sink]:
    """The sink at `port` (0: a free one), `/<merchant>`."""
    app = web.Application()
    app.router.add_post("/{merchant}", sink.hear)
    try:
        async with listening_at(app, port) as sink.url:
            yield sink
    finally:
        sink.close()


async def _serve(asked: argparse.Namespace) -> None:
    sink = Sink(failing=asked.failing, seed=asked.seed, witness=asked.witness)
    async with listening(sink, asked.port):
        await asyncio.Event().wait()


def main() -> None:
    """Listen until killed."""
    parser = argparse.ArgumentParser(prog="python -m actors.cli.chaos.sink")
    parser.add_argument("--port", type=int, default=9026)
    parser.add_argument("--witness", type=Path, required=True)
    parser.add_argument("--failing", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=42)
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
