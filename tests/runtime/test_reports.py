"""Reports: what an actor counts in its cell, and how growth is made of it again."""

import pytest

from payrail.runtime.cells import CellView, CellWriter
from payrail.runtime.reports import Reported, Sampler


def seen(home) -> CellView:
    view = CellView.read(home, "dispatcher")
    assert view is not None
    return view


def test_a_report_is_seen_by_others(tmp_path):
    """What a resident reports through its cell is what a reader of the cell finds."""
    cell = CellWriter(tmp_path, "dispatcher")
    cell.report.took(3, waited_ms=7)
    cell.report.took()
    cell.report.retried()
    cell.report.failed(2)
    cell.report.lag_ms = 0

    assert seen(tmp_path).reported == Reported(4, 7, 1, 2, lag_ms=0)
    cell.report.lag_ms = None
    assert seen(tmp_path).reported.lag_ms is None
    cell.close()


def test_a_clock_that_was_set_back_takes_nothing_away(tmp_path):
    """Counters only grow, and a lag is never below nothing."""
    cell = CellWriter(tmp_path, "dispatcher")
    cell.report.took(waited_ms=-5)
    cell.report.lag_ms = -1

    assert cell.report.lag_ms == 0
    assert seen(tmp_path).reported == Reported(1, 0, 0, 0, lag_ms=0)


def test_an_incarnation_counts_from_zero(tmp_path):
    """A successor has done nothing yet, and the last of the senders does not reach its counters."""
    first = CellWriter(tmp_path, "dispatcher")
    first.report.took(5)
    second = CellWriter(tmp_path, "dispatcher")
    for number in range(30):
        second.consumed(f"sender-{number}", 9, 9)

    assert seen(tmp_path).reported == Reported()


def test_growth_goes_on_over_incarnations():
    """The first look learns where the counters stand; a new epoch counts from zero again."""
    sampler = Sampler()
    looks = [(1, Reported(100, 1_000)), (1, Reported(110, 1_050)), (2, Reported(112, 1_060))]
    grown = [sampler.look(epoch, reported) for epoch, reported in looks]

    assert [(one.messages, one.waited_ms) for one in grown] == [(0, 0), (10, 50), (112, 1_060)]


@pytest.mark.parametrize("reborn", [Reported(0, 0), Reported(2, 8)])
def test_a_reborn_cell_under_its_old_epoch_is_no_step_back(reborn):
    """Counters begin anew a moment before the epoch is told: nothing is counted twice or less
    than nothing."""
    sampler = Sampler()
    sampler.look(1, Reported(100, 1_000))

    assert sampler.look(1, reborn) == reborn
    assert sampler.look(1, reborn) == Reported()


def test_growth_adds_up_and_the_gauge_does_not():
    """Windows add counters; the lag is what was seen last."""
    both = Reported(1, 10, 1, 0, lag_ms=50).plus(Reported(2, 5, 0, 1, lag_ms=20))
    assert both == Reported(3, 15, 1, 1, lag_ms=20)
