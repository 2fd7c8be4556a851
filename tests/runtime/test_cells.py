"""Cells: what survives a death, and what others see."""

import os

import pytest

from payrail.runtime.cells import (
    CELL_BYTES,
    SENDERS_MAX,
    CellView,
    CellWriter,
    SleepWatch,
    cell_path,
)


def view(home) -> CellView:
    seen = CellView.read(home, "gateway")
    assert seen is not None
    return seen


def test_what_is_written_is_seen_by_others(tmp_path):
    """Every field of a cell is visible to a reader that opens the file anew."""
    cell = CellWriter(tmp_path, "gateway")
    cell.epoch, cell.steps, cell.backlog_bytes, cell.sleeping = 7, 12, 4_096, True
    cell.consumed("frontdoor", 41, 9_000)
    cell.consumed("vault", 3, 120)
    cell.consumed("frontdoor", 42, 9_100, epoch=3)
    cell.mark("frontdoor>gateway:43")
    cell.serve()

    seen = view(tmp_path)

    assert (seen.pid, seen.epoch, seen.steps, seen.backlog_bytes) == (os.getpid(), 7, 12, 4_096)
    assert seen.sleeping
    assert seen.state == "serving"
    assert seen.served_ms >= seen.beat_ms > 0
    assert seen.inflight == "frontdoor>gateway:43"
    assert seen.consumed == {"frontdoor": (42, 9_100, 3), "vault": (3, 120, 0)}
    assert cell_path(tmp_path, "gateway").stat().st_size == CELL_BYTES


def test_a_long_recovery_is_not_held_against_who_begins_to_serve(tmp_path, monkeypatch):
    """Whoever serves has beaten: the silence of its recovery is over, and it is not hanging."""
    cell = CellWriter(tmp_path, "gateway")
    late_ms = view(tmp_path).beat_ms + 30_000
    monkeypatch.setattr("time.monotonic_ns", lambda: late_ms * 1_000_000)

    cell.serve()

    assert view(tmp_path).beat_ms == late_ms


def test_a_mark_that_is_cleared_is_gone(tmp_path):
    """A message that was decided is no longer in flight, and the next incarnation blames none."""
    cell = CellWriter(tmp_path, "gateway")
    cell.mark("a:1")
    cell.mark(None)

    assert view(tmp_path).inflight is None
    assert CellWriter(tmp_path, "gateway").adopt() == (None, 0)


def test_deaths_of_one_message_are_counted_over_incarnations(tmp_path):
    """Three incarnations that die in one message make three deaths, whatever dies in between."""
    CellWriter(tmp_path, "gateway").mark("vault>gateway:5")
    second = CellWriter(tmp_path, "gateway")
    assert second.adopt() == second.adopt() == ("vault>gateway:5", 1)

    third = CellWriter(tmp_path, "gateway")  # The second died outside any message.
    assert third.adopt() == ("vault>gateway:5", 1)
    third.mark("vault>gateway:5")
    fourth = CellWriter(tmp_path, "gateway")
    fourth.mark("vault>gateway:5")

    assert CellWriter(tmp_path, "gateway").adopt() == ("vault>gateway:5", 3)


def test_another_message_is_counted_from_one(tmp_path):
    """The suspicion moves to whatever the last incarnation died in."""
    CellWriter(tmp_path, "gateway").mark("vault>gateway:5")
    CellWriter(tmp_path, "gateway").mark("vault>gateway:6")

    assert CellWriter(tmp_path, "gateway").adopt() == ("vault>gateway:6", 1)


def test_an_acquitted_message_is_forgotten(tmp_path):
    """Once the journal shows the message consumed, neither it nor its deaths are told again."""
    CellWriter(tmp_path, "gateway").mark("vault>gateway:5")
    CellWriter(tmp_path, "gateway").acquit()

    assert CellWriter(tmp_path, "gateway").adopt() == (None, 0)


def test_an_incarnation_begins_with_nothing_done(tmp_path):
    """A successor keeps epoch and positions as hints, and starts its own count of steps."""
    first = CellWriter(tmp_path, "gateway")
    first.epoch, first.steps, first.sleeping = 7, 12, True
    first.consumed("vault", 3, 120)
    first.serve()

    CellWriter(tmp_path, "gateway").consumed("provider-a", 1, 1)
    seen = view(tmp_path)

    assert (seen.epoch, seen.steps, seen.sleeping, seen.served_ms) == (7, 0, False, 0)
    assert seen.state == "starting"
    assert seen.consumed == {"vault": (3, 120, 0), "provider-a": (1, 1, 0)}


def test_a_cell_is_bounded(tmp_path):
    """Long ids are cut, senders past the table's end are left out, and nothing overwrites."""
    cell = CellWriter(tmp_path, "gateway")
    cell.mark("é" * 300)
    for number in range(SENDERS_MAX + 5):
        cell.consumed(f"sender-{number}", number, number)
    cell.consumed("x" * 60, 1, 1)

    seen = view(tmp_path)

    assert seen.inflight == "é" * 100
    assert len(seen.consumed) == SENDERS_MAX
    assert seen.state == "starting"


@pytest.mark.parametrize("page", [b"", b"x" * 100, b"\0" * CELL_BYTES, b"\xff" * CELL_BYTES])
def test_what_is_no_cell_is_none_and_is_taken_over(tmp_path, page):
    """A cell that a power cut left empty or mangled reads as none, and its actor makes it anew."""
    path = cell_path(tmp_path, "gateway")
    path.parent.mkdir(parents=True)
    path.write_bytes(page)
    assert CellView.read(tmp_path, "gateway") is None

    CellWriter(tmp_path, "gateway").epoch = 3

    assert view(tmp_path).epoch == 3
    assert view(tmp_path).consumed == {}


def test_an_impossible_state_is_refused(tmp_path):
    """A state that readers do not know cannot be told."""
    with pytest.raises(ValueError, match="not in tuple"):
        CellWriter(tmp_path, "gateway").state = "dozing"


def test_sleep_is_seen_through_a_replaced_file(tmp_path, monkeypatch):
    """Who watches for sleep follows the cell when its file was removed and made again."""
    monkeypatch.setattr(SleepWatch, "RECHECK_MS", 0)
    watch = SleepWatch(tmp_path, "gateway")
    assert not watch.sleeps()
    CellWriter(tmp_path, "gateway").sleeping = True
    assert watch.sleeps()

    cell_path(tmp_path, "gateway").unlink()
    assert not watch.sleeps()
    CellWriter(tmp_path, "gateway").sleeping = True

    assert watch.sleeps()
