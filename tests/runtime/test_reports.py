"""Reports: what an actor counts in its cell, and how growth is made of it again."""

import pytest

from payrail.runtime.cells import CellView, CellWriter
from payrail.runtime.reports import Batch, Reported, Sampler
from payrail.runtime.sim import SimClock, SimFs
from tests.runtime.toy import create_line, deposit_line, drive, feed


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


def test_a_turn_counts_messages_from_their_sending():
    """A line counts from when it was sent, a timer from its taking, a dead letter as an error."""
    fs, clock = SimFs(), SimClock()
    driver = drive(fs, clock)
    now_ms = clock.now().wire_ms
    feed(fs, "vault", deposit_line(1, "tok_1", at_ms=now_ms - 40))
    feed(fs, "frontdoor", create_line(1, 666, at_ms=now_ms - 2))
    driver.turn()

    counted = driver.loop.counted
    assert (counted.messages, counted.errors, counted.retries) == (2, 1, 0)
    assert counted.messages * now_ms - counted.sent_ms_sum == 42

    clock.advance_ms(2_000)
    driver.turn()
    assert driver.loop.counted == Batch(1, clock.now().wire_ms)


def test_a_turn_goes_into_the_report(tmp_path):
    """What a loop counted is added when it is told, and the wait ends there."""
    report = CellWriter(tmp_path, "dispatcher").report
    report.add(Batch(2, 2_000, retries=1, errors=1), now_ms=1_005)

    assert seen(tmp_path).reported == Reported(2, 10, 1, 1)
