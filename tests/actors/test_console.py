"""The console in front of an API that says what a test wants: pages, streams, refusals, manners."""

import asyncio
import json

import aiohttp
import pytest

from actors.console import tabs as tabs_module
from actors.console.guards import is_ours
from actors.console.resident import ConsoleResident
from payrail.logs import make_logger
from payrail.runtime.clocks import SystemClock, SystemRng
from payrail.runtime.control import taking_up
from payrail.settings import Settings
from payrail.storage.fs import RealFs
from tests.actors.doors import free_port
from tests.actors.visiting import FakeApi, Visitor, until


@pytest.fixture
async def visitor(tmp_path):
    api = FakeApi()
    await api.up()
    settings = Settings(
        home=tmp_path, api_port=api.port, console_port=free_port(), api_url="", _env_file=None
    )
    with (tmp_path / "log").open("ab") as logged, taking_up(tmp_path, "console") as control:
        resident = ConsoleResident(
            settings=settings,
            fs=RealFs(str(tmp_path), durable=False),
            clock=SystemClock(),
            rng=SystemRng(),
            log=make_logger("console", logged),
        )
        running = asyncio.create_task(resident.run(control))
        while control.cell.state != "serving":
            await asyncio.sleep(0.005)
            if running.done():
                running.result()
        async with aiohttp.ClientSession() as session:
            yield Visitor(settings.console_port, session, control, api)
        control.stop()
        await running
    await api.down()


async def test_pages_show_what_the_api_says(visitor) -> None:
    """The first page counts payments and names actors; the list and a payment's page show it."""
    visitor.api.pay(1)

    _, _, house = await visitor.get("/")
    _, _, listed = await visitor.get("/payments?state=captured")
    _, _, payment = await visitor.get("/payments/pi_1")
    _, _, operations = await visitor.get("/operations")

    assert "All 2 actors serve. No payment is in doubt." in house
    assert 'data-key="captured">1</span>' in house
    assert "pi_1" in listed
    assert "10.99" in payment
    assert "gateway" in operations


async def test_the_console_only_asks_and_only_as_a_viewer(visitor) -> None:
    """Whatever it sends is a GET with the service key in the role that may only look."""
    visitor.api.pay(1)
    for path in ("/", "/payments", "/payments/pi_1", "/operations", "/providers"):
        await visitor.get(path)

    assert visitor.api.asked
    for method, _, headers in visitor.api.asked:
        assert method == "GET"
        assert headers["X-Role"] == "viewer"
        assert headers["Authorization"].startswith("Bearer sk_service_")


async def test_the_service_key_stays_inside(visitor) -> None:
    """No page, stream or header of the console holds the key that it asks with."""
    _, headers, text = await visitor.get("/")

    assert "sk_service" not in text
    assert "sk_service" not in str(headers)


async def test_a_stream_brings_what_changed(visitor) -> None:
    """A payment that is made while somebody looks comes to the list without a reload."""
    async with visitor.stream("/live?of=house") as stream:
        await until(stream, "line", "station")
        visitor.api.pay(1, "unknown")
        html = await until(stream, "newest", "pi_1")

    assert "10.99" in html


async def test_a_page_answers_while_the_api_does_not(visitor) -> None:
    """With the API away the console says so, and its stream says when it is back."""
    visitor.api.pay(1)
    await visitor.get("/")
    async with visitor.stream("/live?of=house") as stream:
        await until(stream, "summary", "serve")
        await visitor.api.down()
        notice = await until(stream, "notice", "does not answer")
        status, _, page = await visitor.get("/payments/pi_1")
        health, _, told = await visitor.get("/health")
        await visitor.api.up()
        await until(stream, "newest", "pi_1")

    assert "nobody listens there" in notice
    assert (status, health) == (200, 200)
    assert "comes back with the API" in page
    assert json.loads(told)["api"] == "down"


async def test_an_api_that_answers_rubbish_is_away(visitor) -> None:
    """A page of something else on the API's port is not taken for an answer."""
    visitor.api.broken = True

    status, _, page = await visitor.get("/")

    assert status == 200
    assert "cannot be read" in page


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/payments/pi_none", 404, "There is no such payment."),
        ("/payments/..%2F..%2Fhealth", 404, "nothing under this id"),
        ("/payments?state=bogus", 422, "state must be one of these"),
        ("/settlements", 404, "There is no page under this address."),
        ("/live?of=nothing", 404, "There is no such stream."),
        ("/live?of=payment&id=..%2Fhealth", 404, "nothing under this id"),
        ("/live?of=payment", 404, "nothing under this id"),
        ("/static/none.css", 404, "There is no such file."),
    ],
)
async def test_a_refusal_is_a_page_for_people_and_json_for_programs(
    visitor, path, status, words
) -> None:
    """What is not there is a page with a way back; what asks for JSON gets a problem."""
    page = await visitor.get(path, Accept="text/html,*/*")
    problem = await visitor.get(path, Accept="application/json")

    assert page[0] == status
    assert words in page[2]
    assert 'href="/"' in page[2]
    assert problem[0] == status
    assert json.loads(problem[2])["status"] == status


async def test_only_reading_is_possible(visitor) -> None:
    """Every other method is 405 and tells which there are."""
    status, headers, text = await visitor.get("/payments", "POST", Accept="application/json")

    assert status == 405
    assert "GET" in headers["Allow"]
    assert json.loads(text)["code"] == "method-not-allowed"


@pytest.mark.parametrize("path", ["/", "/health", "/nope", "/static/console.css"])
async def test_every_answer_tells_browsers_what_to_refuse(visitor, path) -> None:
    """Nothing inline, nothing from elsewhere, in no frame, of no other type than it says."""
    _, headers, _ = await visitor.get(path)

    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Correlation-Id"]
    assert "Server" not in headers


async def test_a_stream_has_the_same_headers(visitor) -> None:
    """A prepared stream passes no middleware, and is guarded all the same."""
    async with visitor.session.get(f"{visitor.url}/live?of=operations") as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
        assert answer.headers["Content-Type"] == "text/event-stream"


async def test_a_name_of_another_site_is_refused(visitor) -> None:
    """A site whose name was made to point here cannot read the house in a visitor's browser."""
    status, _, text = await visitor.get("/", Host="evil.example:3026")

    assert status == 421
    assert "actors serve" not in text


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:3026", True),
        ("[::1]:3026", True),
        ("localhost", True),
        ("LOCALHOST:3026", True),
        ("console.internal:3026", True),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        (None, False),
    ],
)
def test_the_host_is_an_address_or_a_name_of_ours(host, ours) -> None:
    """An address cannot be rebound; of names, only localhost and the configured one are ours."""
    assert is_ours(host, "console.internal") is ours


async def test_another_site_gets_no_stream(visitor) -> None:
    """A page elsewhere cannot take up the places of open tabs."""
    status, _, _ = await visitor.get("/live?of=house", Sec_Fetch_Site="cross-site")

    assert status == 403


async def test_tabs_are_counted(visitor, monkeypatch) -> None:
    """One tab too many is told to come back; a closed one makes room."""
    monkeypatch.setattr(tabs_module, "TABS_MAX", 1)
    async with visitor.stream("/live?of=house"):
        status, headers, _ = await visitor.get("/live?of=house")

    assert status == 503
    assert headers["Retry-After"] == "10"


async def test_a_paused_console_lets_nobody_in(visitor) -> None:
    """Paused, it takes no visitors; its health and its beat go on."""
    visitor.control.pause(True)

    page, health = await visitor.get("/"), await visitor.get("/health")

    assert page[0] == 503
    assert "payrail resume console" in page[2]
    assert health[0] == 200


async def test_its_files_may_be_kept_for_ever_under_their_version(visitor) -> None:
    """A browser asks once for each version of a file; without a version it asks each time."""
    _, _, page = await visitor.get("/")
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]

    kept, plain = await visitor.get(address), await visitor.get("/static/console.css")

    assert "immutable" in kept[1]["Cache-Control"]
    assert plain[1]["Cache-Control"] == "no-cache"
    assert kept[2] == plain[2]


async def test_nobody_is_asked_while_nobody_looks(visitor) -> None:
    """Without a tab the API is left alone."""
    await visitor.get("/health")

    assert visitor.api.asked == []
