"""`why` follows an id through the files of a house, and says where a link is broken."""

from typing import Any

import pytest

from payrail.audit.why import Chain, explain, walk
from payrail.runtime.edge import open_epoch
from payrail.runtime.sim import SimClock, SimFs
from tests.runtime.spoilt import BOOK, EDGE_SPOOL, JOURNAL, SPOOL, flip, lines_of, put
from tests.runtime.toy import Toy, create_line, deposit_line, drive, feed, settle

ACTORS: dict[str, Any] = {"gateway": Toy()}


@pytest.fixture
def house() -> SimFs:
    """Three deposits, each with its book line, its charge and its timer; two questions."""
    fs, clock = SimFs(), SimClock()
    open_epoch(fs, clock, "frontdoor")
    driver = drive(fs, clock)
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 4)))
    feed(fs, "frontdoor", create_line(1, 5), create_line(2, 6))
    settle(driver)
    clock.advance_ms(2000)
    settle(driver)
    driver.write_documents()
    driver.flush()
    return fs


def told(fs: SimFs, ident: str) -> Chain:
    chain = explain(fs, ACTORS, ident)
    assert chain is not None
    return chain


def links(chain: Chain) -> list[tuple[int, str, str, int]]:
    return [(depth, node.kind, node.file, node.line) for depth, node in walk(chain.nodes)]


def test_question_leads_to_its_step_and_its_reply(house: SimFs):
    """A request is followed from the mailbox to the step that decided it and to its answer."""
    chain = told(house, "frontdoor>gateway:1.1")

    assert chain.broken == []
    assert [link[:2] for link in links(chain)] == [(0, "message"), (1, "step"), (2, "reply")]
    assert links(chain)[0][2:] == (EDGE_SPOOL, 1)
    assert links(chain)[1][2] == JOURNAL


def test_timer_follows_from_the_step_that_set_it(house: SimFs):
    """What a timer leads to hangs below the step that set it, with all that step wrote."""
    chain = told(house, "tok_2")

    kinds = [link[:2] for link in links(chain)]
    assert chain.broken == [] or all(f.line == 0 for f in chain.broken)
    assert (0, "step") in kinds
    assert (1, "step") in kinds
    assert (1, "record", BOOK, 2) in links(chain)
    assert (1, "message", SPOOL, 2) in links(chain)


def test_correlation_id_finds_everything(house: SimFs):
    """A correlation id of any spelling finds all that happened under it."""
    chain = told(house, "cor_1")

    assert sum(node.kind == "message" for node in chain.nodes) >= 5


@pytest.mark.parametrize("ident", ["pi_none", "cor_none", "m_001", "a b", "", "step", '"'])
def test_unknown_id_is_unknown(house: SimFs, ident: str):
    """What no file mentions, or what is no id, has no chain."""
    assert explain(house, ACTORS, ident) is None


def test_question_that_nobody_took_yet_is_shown(house: SimFs):
    """A request that still waits is a chain of one."""
    feed(house, "frontdoor", create_line(3, 6))

    chain = told(house, "frontdoor>gateway:1.3")
    assert [node.kind for node in chain.nodes] == ["message"]
    assert chain.broken == []


@pytest.mark.parametrize(("path", "ident"), [(SPOOL, "gateway>vault:2"), (BOOK, "tok_2")])
def test_damaged_link_is_named(house: SimFs, path: str, ident: str):
    """A link whose line was changed is a broken one, named with file and line."""
    whole = told(house, ident).broken
    flip(house, path, 2, -140)

    assert (path, 2) in [(f.path, f.line) for f in told(house, ident).broken if f not in whole]


@pytest.mark.parametrize("path", [SPOOL, BOOK, EDGE_SPOOL])
def test_missing_link_is_named(house: SimFs, path: str):
    """A line that was taken out is missed."""
    before = told(house, "cor_1").broken
    lines = lines_of(house, path)
    del lines[0]
    put(house, path, lines)

    after = [f for f in told(house, "cor_1").broken if f not in before]
    # A toy's book line does not hold the correlation id: its step does.
    assert [f.path for f in after] == [path]
