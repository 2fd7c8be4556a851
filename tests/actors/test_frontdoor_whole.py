"""Books that may lack lines: what the doors refuse before their writer has served in this boot."""

import pytest

from payrail.errors import RequestError
from payrail.runtime.cellpage import CELL_BYTES, CellPage, CellView
from payrail.runtime.cells import CellWriter
from payrail.web.whole import Whole
from tests.actors.doors import open_door
from tests.actors.ordered import GOOD, create
from tests.actors.vaulted import CARD, open_vault


class Cells:
    """One cell, of a machine that was booted so often; `boot` 0: it does not tell."""

    def __init__(self, boot):
        self.boot, self.now_ms, self.page = boot, 1_000, bytearray(CELL_BYTES)

    def begin(self):
        """Another incarnation has its cell, and recovers."""
        return CellPage(self.page, 1, lambda: self.now_ms, self.boot)

    def read(self, _actor):
        return CellView.of(self.page)


def is_whole(books):
    try:
        books.must_be()
    except RequestError:
        return False
    return True


def test_who_never_ran_here_has_said_nothing():
    assert not is_whole(Whole(Cells(7), "gateway"))


def test_one_that_recovers_has_not_served_yet():
    cells = Cells(7)
    cell = cells.begin()
    books = Whole(cells, "gateway")
    assert not is_whole(books)
    cells.now_ms += 5_000
    cell.beat()
    assert not is_whole(books)
    cell.serve()
    assert is_whole(books)


def test_it_has_served_for_as_long_as_the_machine_runs():
    """Also for a reader that begins while the next incarnation recovers."""
    cells = Cells(7)
    cells.begin().serve()
    cells.begin()
    assert is_whole(Whole(cells, "gateway"))


def test_what_a_cell_says_of_another_boot_counts_for_nothing():
    """Though its times may fit to ours."""
    cells = Cells(7)
    cells.begin().serve()
    cells.boot = 8
    books = Whole(cells, "gateway")
    assert not is_whole(books)
    cell = cells.begin()
    cells.now_ms += 5_000
    cell.beat()
    assert not is_whole(books)
    cell.serve()
    assert is_whole(books)


def test_where_no_boot_has_a_name_only_one_that_lives_is_believed():
    """A cell that was left by a power cut does not beat."""
    cells = Cells(0)
    cell = cells.begin()
    cell.serve()
    books = Whole(cells, "gateway")
    assert not is_whole(books)
    cells.now_ms += 250
    assert not is_whole(books)
    cell.beat()
    assert is_whole(books)


def test_a_yes_is_for_good():
    """No later death takes a line of what the machine holds."""
    cells = Cells(7)
    cells.begin().serve()
    books = Whole(cells, "gateway")
    assert is_whole(books)
    cells.page = bytearray(CELL_BYTES)
    assert is_whole(books)


def test_of_a_held_writer_is_said_what_to_do():
    books = Whole(Cells(7), "gateway", lambda: [{"name": "gateway", "state": "held"}])
    with pytest.raises(RequestError, match="`payrail ps` shows it, `payrail verify` names"):
        books.must_be()


async def test_a_key_opens_nothing_before_the_access_book_is_whole(tmp_path):
    """Neither reads nor orders; nothing reaches the gateway. The house's own key gives orders to
    actors, and sees no book and nobody's keys. Then everything is answered, by the same door."""
    async with open_door(tmp_path, whole=False) as door:
        read = await door.ask("GET", "/payment-intents")
        order = await create(door, GOOD)
        house = [
            await door.ask("GET", path, key=door.service)
            for path in ("/payment-intents", "/events", "/deliveries", "/keys", "/users")
        ]
        restart = await door.ask("POST", "/actors/gateway/restart", key=door.service)
        open_to_all = await door.ask("GET", "/health", key="")
        asked = list(door.gateway.asked)
        cell = CellWriter(tmp_path, "gateway")
        cell.serve()
        later = [await door.ask("GET", "/payment-intents"), await create(door, GOOD)]

    refused = [read, order, *house]
    assert {(status, said["code"]) for status, _, said in refused} == {(503, "actor-restarting")}
    assert {headers["Retry-After"] for _, headers, _ in refused} == {"1"}
    assert (restart[0], open_to_all[0], asked) == (202, 200, [])
    assert [status for status, _, _ in later] == [200, 200]


async def test_the_vaults_door_knows_nobody_either(tmp_path):
    """A card of somebody whose key may be revoked is not taken."""
    books = Whole(Cells(7), "gateway")
    async with open_vault(tmp_path, books.must_be) as vault:
        status, said = await vault.ask("POST", "/tokenize", CARD)
        kept = vault.log()
    assert (status, said["code"], kept) == (503, "actor-restarting", [])
