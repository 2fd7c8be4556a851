"""How the house is: its actors, its providers, and orders to the supervisor.

Reads: what the neighbours show, data/providers/providerA_state.json and its sibling.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from actors.frontdoor.heads import no_such
from actors.frontdoor.lists import Reads, answered, listed
from actors.frontdoor.neighbours import Neighbours
from payrail.domain.access import ADMINS
from payrail.domain.messages import PROVIDERS
from payrail.domain.providers import actor_of, public_name
from payrail.domain.timestamps import iso
from payrail.errors import RequestError
from payrail.runtime.cellpage import CellView
from payrail.runtime.orders import Verb
from payrail.runtime.ports import Clock, Fs
from payrail.storage.lines import complete_lines
from payrail.storage.spool import NOT_READ, spool_path
from payrail.web.access import Caller, must_be
from payrail.web.metrics import Handler

VERBS: tuple[Verb, ...] = ("kill", "pause", "resume", "restart")
_TAIL_BYTES = 64 * 1024
_TAIL_LINES = 20


class _Seen(msgspec.Struct):
    """What may be shown of a message: whose it is, not what it says."""

    id: str | None = None
    kind: str | None = None
    key: str | None = None
    correlation_id: str | None = None
    sent_at: str | None = None


_decode_seen = msgspec.json.Decoder(_Seen).decode


class House:
    """Handlers about the house itself."""

    def __init__(
        self, neighbours: Neighbours, fs: Fs, clock: Clock, reads: Reads, actors: Sequence[str]
    ) -> None:
        self._neighbours, self._fs, self._clock, self._reads = neighbours, fs, clock, reads
        self._actors = tuple(actors)

    async def health(self, _request: web.Request) -> web.Response:
        rows = self._rows()
        well = all(row["state"] == "serving" for row in rows)
        return answered({"status": "ok" if well else "degraded", "actors": rows})

    async def ready(self, _request: web.Request) -> web.Response:
        """200 when every actor of the house serves."""
        waiting = {row["name"]: row["state"] for row in self._rows() if row["state"] != "serving"}
        if not waiting:
            return answered({"status": "ready"})
        raise RequestError(
            503,
            "actor-restarting",
            f"Not every actor serves: {', '.join(waiting)}.",
            retryable=True,
            extra={"waiting_for": waiting},
            headers={"Retry-After": "1"},
        )

    async def providers(self, request: web.Request) -> web.Response:
        self._reads.reader(request)
        states = self._states()
        names = [name for name in PROVIDERS if name in self._actors]
        return listed([self._provider(name, states[name]) for name in names], None)

    async def provider(self, request: web.Request) -> web.Response:
        self._reads.reader(request)
        name = self.provider_named(request)
        return answered(self._provider(name, self._states()[name]))

    def shown(self, name: str) -> dict[str, Any]:
        """How a provider is, by the name of its actor."""
        return self._provider(name, self._states()[name])

    def ordering(self, verb: Verb) -> Handler:
        """The handler of one order to an actor: a line that its supervisor reads."""

        async def order(request: web.Request) -> web.Response:
            must_be(self._reads.reader(request), ADMINS)
            name = self._actor_named(request)
            at = iso(self._clock.now().wire_ms)
            self._neighbours.order(name, verb, at)
            return answered({"object": "order", "actor": name, "verb": verb, "at": at}, 202)

        return order

    async def mailbox(self, request: web.Request) -> web.Response:
        """What lies in a mailbox: the newest messages of each sender, without their bodies. All
        merchants' messages lie there together: of another's, a merchant sees the kind alone."""
        caller = self._reads.reader(request)
        must_be(caller, ADMINS)
        name = self._actor_named(request)
        cell = self._neighbours.cells.read(name)
        senders = [
            file.removesuffix(".jsonl")
            for file in self._fs.listdir(f"mailboxes/{name}")
            if file.endswith(".jsonl") and file != "control.jsonl"
        ]
        spools = [self._spool(name, sender, cell, caller) for sender in senders]
        return answered({"object": "mailbox", "actor": name, "spools": spools})

    def provider_named(self, request: web.Request) -> str:
        """The provider's actor out of the path. Raises RequestError 404."""
        try:
            name = actor_of(request.match_info["id"])
        except KeyError:
            raise no_such("provider") from None
        if name not in self._actors:
            raise no_such("provider")
        return name

    def _actor_named(self, request: web.Request) -> str:
        name = request.match_info["name"]
        if name not in self._actors:
            raise no_such("actor")
        return name

    def _rows(self) -> list[dict[str, Any]]:
        """One row an actor of this house, also for one that never started."""
        found = {row["name"]: row for row in self._neighbours.rows()}
        return [
            {
                key: found.get(name, {}).get(key, missing)
                for key, missing in (
                    ("name", name),
                    ("state", "down"),
                    ("epoch", 0),
                    ("restarts", 0),
                    ("backlog", 0),
                )
            }
            for name in self._actors
        ]

    def _states(self) -> dict[str, str]:
        """Of each actor. Not by its cell alone: one that was killed left it as it was, and serves
        by it for ever."""
        return {row["name"]: row["state"] for row in self._rows()}

    def _provider(self, name: str, state: str) -> dict[str, Any]:
        """The gateway's view of a provider where it wrote one, and how its actor is: one that does
        not serve is down, whatever the gateway saw of it last."""
        public = public_name(name)
        shown: dict[str, Any] = {
            "id": public,
            "object": "provider",
            "actor": name,
            "state": state,
            "health": "up" if state == "serving" else "down",
            "breaker": {"state": "CLOSED"},
            "canary": None,
        }
        try:
            view = msgspec.json.decode(self._fs.read(f"data/providers/{public}_state.json"))
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
            return shown
        if shown["health"] == "up":
            shown["health"] = view.get("health", "up")
        seen = {name: view[name] for name in ("breaker", "canary") if name in view}
        return shown | seen

    def _spool(
        self, name: str, sender: str, cell: CellView | None, caller: Caller
    ) -> dict[str, Any]:
        path = spool_path(name, sender)
        size = self._fs.size(path)
        read_to = cell.consumed.get(sender, NOT_READ).offset if cell else 0
        return {
            "sender": sender,
            "bytes": size,
            "unread_bytes": max(0, size - read_to),
            "newest": [
                one
                if self._reads.may_see(one.key, caller)
                else msgspec.structs.replace(one, key=None, correlation_id=None)
                for one in self._newest(path, size)
            ],
        }

    def _newest(self, path: str, size: int) -> list[_Seen]:
        file = self._fs.open(path)
        try:
            begin = max(0, size - _TAIL_BYTES)
            lines, _ = complete_lines(file.pread(begin, size - begin))
        finally:
            file.close()
        seen = (_seen(line) for line in lines[-_TAIL_LINES:])
        return [one for one in seen if one is not None]


def _seen(line: bytes) -> _Seen | None:
    try:
        return _decode_seen(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None  # The rest of a line that began before the tail, or one by hand.
