"""Whether a house is still, and where its clock goes next: told from looks at the cells alone."""

from dataclasses import replace

import pytest
from msgspec import structs

from payrail.runtime.cells import CellView, CellWriter
from payrail.runtime.hopping import CALM_MS, Seen, Stillness, next_stop, waiting_for
from payrail.runtime.rests import Rested

AT_MS = 1_000
IDLE = Seen(1, "serving", Rested(False, worked=4, looks=7, looked_ms=AT_MS, due_ms=5_000))


def again(one: Seen, looks: int = 2, **changes) -> Seen:
    """The same actor after more looks."""
    rested = structs.replace(one.rested, looks=one.rested.looks + looks, **changes)
    return replace(one, rested=rested)


def test_a_house_is_still_once_all_have_looked_again():
    """One look at idle actors proves nothing: a message may lie between two of them."""
    still = Stillness(AT_MS)
    assert not still.look({"a": IDLE, "b": IDLE}, 0)
    assert not still.look({"a": again(IDLE), "b": again(IDLE, 1)}, 1)
    assert still.look({"a": again(IDLE, 3), "b": again(IDLE)}, 2)


@pytest.mark.parametrize(
    "other",
    [
        again(IDLE, worked=5),
        replace(again(IDLE), epoch=2),
        again(IDLE, busy=True),
        again(IDLE, errands=1),
        again(IDLE, due_ms=AT_MS),
        again(IDLE, looked_ms=AT_MS - 1),
        replace(again(IDLE), state="paused"),
    ],
)
def test_what_moves_or_could_not_look_yet_is_not_still(other):
    """Work in between, a rebirth, an errand, a timer that is due, a look of before: each counts."""
    still = Stillness(AT_MS)
    still.look({"a": IDLE, "b": IDLE}, 0)

    assert not still.look({"a": again(IDLE), "b": other}, 1)


def test_a_shop_that_never_rests_holds_nobody_up_for_long():
    """With nothing due for a while time goes on; an errand of the books is waited for."""
    busy = again(IDLE, busy=True)
    still, held = Stillness(AT_MS), Stillness(AT_MS)
    assert not still.look({"a": busy}, 0)
    assert not still.look({"a": busy}, CALM_MS - 1)
    assert still.look({"a": busy}, CALM_MS)
    matching = again(IDLE, errands=1)
    assert not any(held.look({"a": matching}, now_ms) for now_ms in (0, CALM_MS, 2 * CALM_MS))


def test_the_next_stop_is_the_earliest_timer_of_all():
    """And the end of the way where nothing is due before."""
    later = again(IDLE, due_ms=9_000)
    assert next_stop({"a": later, "b": IDLE}, 20_000) == 5_000
    assert next_stop({"a": later, "b": again(IDLE, due_ms=None)}, 6_000) == 6_000
    assert next_stop({}, 6_000) == 6_000


def test_who_is_waited_for_is_named_with_the_reason():
    """People are told whom to start again."""
    seen = {"a": IDLE, "b": replace(IDLE, state="down"), "c": again(IDLE, busy=True)}
    assert waiting_for(seen, AT_MS) == ["b (down)", "c (busy)"]


def test_a_cell_tells_when_its_actor_was_at_rest(tmp_path):
    """A new incarnation is busy until it has looked for itself."""
    cell = CellWriter(tmp_path, "gateway")
    cell.rest.turning()
    cell.rest.rested(AT_MS, None, 0)
    view = CellView.read(tmp_path, "gateway")
    assert view is not None
    assert view.rested == Rested(False, 0, 1, AT_MS, None, 0)
    cell.rest.turning()
    cell.rest.worked()
    view = CellView.read(tmp_path, "gateway")
    assert view is not None
    assert (view.rested.busy, view.rested.worked) == (True, 1)
    cell.close()
    reborn = CellWriter(tmp_path, "gateway")
    view = CellView.read(tmp_path, "gateway")
    assert view is not None
    assert view.rested == Rested()
    reborn.close()
