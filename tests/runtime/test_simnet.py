"""The network of a simulated house: the real web server, asked over memory."""

import asyncio
import gc
import weakref
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from payrail.domain.webhooks import AllowList
from payrail.runtime.sim import SimClock, SimRng
from payrail.runtime.simloop import VirtualLoop
from payrail.web.server import make_app
from payrail.web.simnet import FAIR, Asked, Fate, SimNet
from payrail.web.simout import SimOutgoing
from payrail.web.simwire import Answer, AnswerReader, NoAnswer


@dataclass
class Town:
    """One server, its process, and the net before it."""

    clock: SimClock = field(default_factory=SimClock)
    fate: Fate = FAIR
    took: list[bytes] = field(default_factory=list)
    steps: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.net = SimNet(self.clock, lambda _asked: self.fate, self._told)
        self.serve()

    def _told(self, what: str, asked: Asked, _came: object) -> None:
        self.steps.append((what, asked.path))

    def serve(self) -> None:
        self.loop = VirtualLoop(self.clock)
        app = make_app(rng=SimRng(1), log=None)
        app.router.add_post("/take", self._take)
        app.router.add_get("/slow", self._slow)
        app.router.add_get("/stream", self._stream)
        self.net.listen("town", app, self.loop)

    async def _take(self, request: web.Request) -> web.Response:
        self.took.append(await request.read())
        return web.json_response({"took": len(self.took)}, status=201)

    async def _slow(self, _request: web.Request) -> web.Response:
        await asyncio.sleep(1)
        return web.Response(text="at last")

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for part in (b"one,", b"two"):
            await answer.write(part)
        await answer.write_eof()
        return answer

    def ask(self, method: str, path: str, body: bytes = b"", **more: Any) -> list[Any]:
        came: list[Any] = []
        self.net.ask(Asked("town", method, path, body=body), came.append, **more)
        self.rest()
        return came

    def await_(self, work: Coroutine[Any, Any, Any], wait_ms: int = 0) -> Any:
        """What a process of its own makes of it."""
        other = VirtualLoop(self.clock)
        task = other.create_task(work)
        for ms in (0, wait_ms):
            self.clock.advance_ms(ms)
            while other.run_ready() or self.net.turn() or self.loop.run_ready():
                pass
        other.end()
        return task.result()

    def rest(self) -> None:
        while self.net.turn() or self.loop.run_ready():
            pass

    def wait(self, ms: int) -> None:
        self.clock.advance_ms(ms)
        self.rest()


@pytest.fixture
def town() -> Iterator[Town]:
    town = Town()
    yield town
    town.loop.end()
    gc.collect()


def test_a_request_is_answered_by_the_real_server(town):
    """Status, headers and body come as the house's server sends them."""
    (answer,) = town.ask("POST", "/take", b"hello")
    assert (answer.status, answer.json()) == (201, {"took": 1})
    assert answer.headers["x-correlation-id"].startswith("cor_")
    assert town.took == [b"hello"]
    assert "server" not in answer.headers
    assert town.steps == [("arrived", "/take"), ("answered", "/take"), ("heard", "/take")]


def test_connections_are_kept_for_the_next_request(town):
    """Request after request goes over one connection."""
    for _ in range(5):
        town.ask("POST", "/take")
    assert len(town.net._doors["town"].idle) == 1


def test_a_stream_is_heard_whole(town):
    """An answer in chunks is put together; one to HEAD has no body."""
    (answer,) = town.ask("GET", "/stream")
    assert answer.body == b"one,two"


def test_what_is_no_http_is_answered_too(town):
    """The real parser reads the bytes: a broken request meets the house's own problem."""
    (answer,) = town.ask("G T", "/take")
    assert answer.status == 400
    assert answer.json()["code"] == "bad-request"


def test_nobody_listens(town):
    """A name without a listener refuses: it never arrived, so another may be tried."""
    came: list[Any] = []
    town.net.ask(Asked("nowhere", "GET", "/"), came.append)
    town.rest()
    assert [(one.word, one.may_have_happened) for one in came] == [("refused", False)]


def test_a_dead_process_breaks_its_connections(town):
    """Whoever waits hears that the connection broke: it may have happened."""
    came = town.ask("GET", "/slow")
    assert came == []
    town.loop.end()
    town.rest()
    assert [(one.word, one.may_have_happened) for one in came] == [("disconnected", True)]
    assert [one.word for one in town.ask("POST", "/take")] == ["refused"]
    town.serve()
    assert [one.status for one in town.ask("POST", "/take")] == [201]


def test_nothing_stays_of_a_dead_server(town):
    """A simulated house after the other: none of them keeps the memory of the last."""
    town.ask("POST", "/take")
    gone = weakref.ref(town.loop)
    town.loop.end()
    town.serve()
    town.rest()
    gc.collect()
    assert gone() is None


def test_a_process_that_dies_before_it_reads_answers_nobody(town):
    """A request that lay in its socket is lost with it."""
    came: list[Any] = []
    town.net.ask(Asked("town", "POST", "/take"), came.append)
    town.net.turn()  # it has arrived, and the server has not looked yet
    town.loop.end()
    town.rest()
    assert ([one.word for one in came], town.took) == (["disconnected"], [])


def test_a_stopped_process_keeps_its_askers_waiting(town):
    """Nobody turns it: the asker gives up at its own limit, and the late answer finds nobody."""
    came: list[Any] = []
    town.net.ask(Asked("town", "POST", "/take"), came.append, timeout_ms=3_000)
    town.net.turn()
    assert town.net.next_due_ms() == 3_000
    town.clock.advance_ms(3_000)
    town.net.turn()
    assert [one.word for one in came] == ["timeout"]
    town.rest()
    assert (len(came), town.took) == (1, [b""])
    assert town.net.next_due_ms() is None


def test_an_answer_takes_its_time(town):
    """A handler's own wait passes by the clock, and so do the ways."""
    town.fate = Fate(request_ms=20, answer_ms=30)
    came = town.ask("GET", "/slow")
    for ms, heard in ((20, 0), (1_000, 0), (29, 0), (1, 1)):
        town.wait(ms)
        assert len(came) == heard
    assert came[0].body == b"at last"


def test_a_lost_request_and_a_lost_answer_look_alike(town):
    """Both break the connection; only one of them happened, and the asker cannot tell."""
    for fate, happened in ((Fate(loses="request"), 0), (Fate(loses="answer"), 1)):
        town.fate = fate
        assert [one.word for one in town.ask("POST", "/take")] == ["disconnected"]
        assert len(town.took) == happened
    assert ("lost", "/take") in town.steps


@pytest.mark.parametrize("loses", ["request", "answer"])
def test_a_silent_loss_costs_the_askers_patience(town, loses):
    """No word comes back: the asker gives up at its own limit."""
    town.fate = Fate(loses=loses, silently=True)
    came = town.ask("POST", "/take", timeout_ms=3_000)
    assert came == []
    assert town.net.next_due_ms() == 3_000
    town.wait(3_000)
    assert [one.word for one in came] == ["timeout"]
    assert len(town.took) == (loses == "answer")


def test_a_head_has_no_body(town):
    """An answer to HEAD tells a length and brings nothing."""
    (answer,) = town.ask("HEAD", "/stream")
    assert (answer.status, answer.body) == (200, b"")
    assert [one.status for one in town.ask("POST", "/take")] == [201]


def test_a_request_may_come_twice(town):
    """It happens twice, and one answer is heard."""
    town.fate = Fate(twice=True)
    assert [one.status for one in town.ask("POST", "/take")] == [201]
    assert len(town.took) == 2


def test_somebody_outside_answers_at_once_or_never(town):
    """A sink hears the request as it was sent; its silence ends at the asker's limit."""
    heard: list[Asked] = []

    def shop(asked: Asked) -> int:
        heard.append(asked)
        return 204

    town.net.sink("shop.example", shop)
    town.net.sink("deaf.example", lambda _asked: None)
    came: list[Any] = []
    for host in ("shop.example", "deaf.example"):
        asked = Asked(host, "POST", "/hooks", {"webhook-id": "evt_1"}, b"{}")
        town.net.ask(asked, came.append, timeout_ms=500)
    town.rest()
    assert came == [Answer(204)]
    town.wait(500)
    assert isinstance(came[1], NoAnswer)
    assert [one.headers["webhook-id"] for one in heard] == ["evt_1"]


def test_a_coroutine_may_ask(town):
    """Inside a simulated process a request is a future."""
    other, answers = VirtualLoop(town.clock), []

    async def asks() -> None:
        answers.append(await town.net.request("town", "POST", "/take", body=b"x"))
        with pytest.raises(NoAnswer):
            await town.net.request("nowhere", "GET", "/")

    other.create_task(asks())
    while other.run_ready() or town.net.turn() or town.loop.run_ready():
        pass
    other.end()
    assert [answer.status for answer in answers] == [201]
    assert other.faults == []


@pytest.mark.parametrize(
    ("url", "status", "error"),
    [
        ("https://shop.example/hooks?a=b", 204, None),
        ("https://nobody.example/", None, "refused"),
        ("https://127.0.0.1/hooks", None, "address-refused"),
        ("no url at all", None, "bad-url"),
    ],
)
def test_what_comes_of_a_post_is_one_word(town, url, status, error):
    """A post of ours over the net is told as a real one is, and judged by the same guard."""
    heard: list[str] = []

    def shop(asked: Asked) -> Answer:
        heard.append(asked.path)
        return Answer(204, {"retry-after": "7"})

    town.net.sink("shop.example", shop)
    outgoing = SimOutgoing(town.net, town.clock, guard=AllowList())
    posted = town.await_(outgoing.post(url, b"{}", {"webhook-id": "evt_1"}))
    assert (posted.status, posted.error) == (status, error)
    assert heard == (["/hooks?a=b"] if status else [])
    assert posted.retry_after_s == (7 if status else None)


def test_a_post_waits_no_longer_than_it_may(town):
    """A shop that is silent costs exactly the limit."""
    town.net.sink("shop.example", lambda _asked: None)
    outgoing = SimOutgoing(town.net, town.clock, guard=AllowList(), total_ms=2_000)
    posted = town.await_(outgoing.post("https://shop.example/", b"{}", {}), wait_ms=2_000)
    assert (posted.status, posted.error, posted.latency_ms) == (None, "timeout", 2_000)


def test_an_idle_connection_is_closed_by_the_server(town):
    """After 75 s the server hangs up, and the next request takes a new connection."""
    town.ask("POST", "/take")
    town.wait(76_000)
    assert town.net._doors["town"].idle == []
    assert [one.status for one in town.ask("POST", "/take")] == [201]


@pytest.mark.parametrize("cut", range(1, 60))
def test_an_answer_is_whole_at_its_last_byte(cut):
    """Wherever the bytes are cut, nothing is taken for an answer before its end."""
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: b\r\nDate: now\r\n\r\nabc"
    reader = AnswerReader()
    reader.begin(is_head=False)
    first = reader.feed(data[:cut])
    answer = first or reader.feed(data[cut:])
    assert (first is not None) == (cut == len(data))
    assert answer == Answer(200, {"content-length": "3", "x-a": "b"}, b"abc")
