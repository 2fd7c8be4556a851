"""The console of a real house: what is paid is seen, live, also while the front door is down."""

import http.client
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import WAIT_S_MAX, until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario


def page(house: House, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", house.ports["CONSOLE"], timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@contextmanager
def stream(house: House, path: str) -> Iterator["Queue[dict[str, Any]]"]:
    """The patches of a page's stream, as they come, until the end of the block."""
    connection = http.client.HTTPConnection("127.0.0.1", house.ports["CONSOLE"], timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    assert answer.status == 200
    came: Queue[dict[str, Any]] = Queue()
    ended = threading.Event()
    reader = threading.Thread(target=_read, args=(answer, came, ended), daemon=True)
    reader.start()
    try:
        yield came
    finally:
        ended.set()  # The next line, a ping at the latest, ends the reader.
        reader.join(WAIT_S_MAX)
        connection.close()


def _read(
    answer: http.client.HTTPResponse, came: "Queue[dict[str, Any]]", ended: threading.Event
) -> None:
    kind = b""
    while not ended.is_set() and (line := answer.readline()):
        if line.startswith(b"event: "):
            kind = line[7:].strip()
        elif line.startswith(b"data: ") and kind == b"patch":
            came.put(json.loads(line[6:]))


def patched(came: "Queue[dict[str, Any]]", region: str, text: str) -> str:
    """The first patch of this region that holds this text."""

    def found() -> str | None:
        try:
            patch = came.get(timeout=1)
        except Empty:
            return None
        right = patch["region"] == region and text in patch["html"]
        return str(patch["html"]) if right else None

    return until(found, f"{text!r} in {region}")


def paid(shop: Shop, **more: Any) -> str:
    answer = shop.create(shop.tokenize(), 123_456, confirm=True, capture_method="automatic", **more)
    assert answer.status in (201, 202)
    return str(answer.body["id"])


def test_a_payment_just_made_is_on_the_pages(house: House, shop: Shop) -> None:
    """The list, its filter and the payment's own page show it, with its postings; and a name that
    tries to be a tag stays a name."""
    about = paid(shop, customer={"name": "<b>Bold</b>"})
    until(lambda: "captured" in page(house, f"/payments/{about}")[1] or None, "its capture")

    assert about in page(house, "/payments?state=captured")[1]
    assert about not in page(house, "/payments?state=declined")[1]
    status, shown = page(house, f"/payments/{about}")
    assert status == 200
    assert "1,234.56" in shown
    assert "asset:providerA:receivable" in shown
    assert "&lt;b&gt;Bold&lt;/b&gt;" in shown
    assert "<b>Bold" not in shown


def test_the_stream_tells_what_just_happened(house: House, shop: Shop) -> None:
    """Whoever looks at the house sees a payment without a reload: in the list and the activity."""
    with stream(house, "/live?of=house") as came:
        patched(came, "line", "captured")
        about = paid(shop)
        patched(came, "newest", about)


def test_the_console_outlives_the_front_door(house: House, shop: Shop) -> None:
    """A front door that hangs until its supervisor kills it is missed aloud, on pages that answer
    all the same; once another serves, the pages say so by themselves."""
    console, front = house.row("console"), house.row("frontdoor")
    assert console
    assert front
    with stream(house, "/live?of=operations") as came:
        patched(came, "actors", "frontdoor")
        os.kill(front["pid"], signal.SIGSTOP)
        patched(came, "notice", "does not answer")
        status, shown = page(house, "/")
        restarts = front["restarts"] + 1
        patched(came, "actors", f'<td class="num">{restarts}</td>')
    assert status == 200
    assert "does not answer" in shown
    assert page(house, f"/payments/{paid(shop)}")[0] == 200
    assert house.row("console") == console


def test_a_killed_console_is_back_with_the_next_epoch(house: House) -> None:
    """It keeps nothing, so there is nothing to recover."""
    before = house.row("console")
    assert before
    house.cli("kill", "console")

    def again() -> bool | None:
        row = house.row("console")
        return (row and row["state"] == "serving" and row["epoch"] > before["epoch"]) or None

    until(again, "the console serves again")
    assert page(house, "/")[0] == 200


def test_verify_finds_nothing_of_the_console(house: House) -> None:
    """The console writes no book, no journal and no mailbox: the files are as whole as before."""
    ran = house.cli("verify")
    assert ran.returncode == 0, ran.stdout + ran.stderr
