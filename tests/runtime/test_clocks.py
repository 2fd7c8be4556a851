"""Real time never goes back; business time goes where people moved it, and never back either."""

import time

import pytest

from payrail.errors import BadSettings
from payrail.runtime.clockfile import (
    BYTES_MAX,
    NOBODY_MOVED_IT,
    PATH,
    ClockSetting,
    Mode,
    read_setting,
    setting_at,
    write_setting,
)
from payrail.runtime.clocks import LOOK_MS, SystemClock, SystemRng
from payrail.runtime.ports import Now
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import SimClock, SimFs
from tests.runtime.crashpoints import Files, Scenario, errors, kills, power_cuts, steps, survive_all
from tests.runtime.toy import deposit_line, drive, feed, settle

DAY_MS = 86_400_000
EPOCH = Now(0, 0, 0)


class Machine:
    """Its two clocks, in milliseconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall_ms, self.up_ms = 5_000_000, 100
        monkeypatch.setattr(time, "time_ns", lambda: self.wall_ms * 1_000_000)
        monkeypatch.setattr(time, "monotonic_ns", lambda: self.up_ms * 1_000_000)

    def passes(self, ms: int) -> None:
        self.wall_ms, self.up_ms = self.wall_ms + ms, self.up_ms + ms


class Counting(SimFs):
    reads = 0

    def read(self, path: str) -> bytes:
        self.reads += 1
        return super().read(path)


def moved(by_ms: int, mode: Mode = "follow", now: Now = EPOCH) -> ClockSetting:
    """What the front door would write."""
    business_ms = now.business_ms + by_ms
    return setting_at(mode, business_ms=business_ms, wire_ms=now.wire_ms, user_id="u_1")


def move(fs: SimFs, clock: SystemClock, by_ms: int, mode: Mode = "follow") -> None:
    write_setting(fs, moved(by_ms, mode, clock.now()))


def test_wire_time_goes_on_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch):
    """An hour back neither undoes a deadline that has passed nor keeps a timer from coming due;
    what two processes compare is the clock as it is."""
    machine = Machine(monkeypatch)
    clock = SystemClock()
    assert clock.now().wire_ms == 5_000_000

    machine.wall_ms -= 3_600_000
    machine.passes(250)

    assert clock.now().wire_ms == 5_000_250
    assert clock.now().wall_ms == 1_400_250
    machine.wall_ms = 6_000_000
    assert clock.now().wire_ms == 6_000_000


def test_wire_time_goes_on_from_what_a_journal_has_seen(monkeypatch: pytest.MonkeyPatch):
    """Of an actor that was started again after the clock was set back, timers still come due."""
    machine = Machine(monkeypatch)
    clock = SystemClock()
    clock.not_before(8_600_000)
    machine.passes(5_000)

    assert clock.now().wire_ms == 8_605_000


def test_business_time_is_wire_time_until_somebody_moves_it(monkeypatch: pytest.MonkeyPatch):
    """A house without a clock file keeps one time."""
    Machine(monkeypatch)
    now = SystemClock(SimFs()).now()

    assert now.business_ms == now.wire_ms == 5_000_000


def test_an_advance_is_seen_within_a_look_and_goes_on(monkeypatch: pytest.MonkeyPatch):
    """Moved business time goes on moving with wire time, which did not notice."""
    machine, fs = Machine(monkeypatch), SimFs()
    clock = SystemClock(fs)
    move(fs, clock, 30_000)
    machine.passes(LOOK_MS)

    assert clock.now() == Now(5_000_050, 5_030_050, 5_000_050)
    machine.passes(1_000)
    assert clock.now().business_ms == 5_031_050


def test_an_advance_is_followed_at_once_by_a_process_whose_clock_lags(
    monkeypatch: pytest.MonkeyPatch,
):
    """The machine's clock was set back two minutes: who was started since then lives earlier than
    the front door, and is nevertheless where business time was moved to."""
    machine, fs = Machine(monkeypatch), SimFs()
    front = SystemClock(fs)
    front.now()
    machine.wall_ms -= 120_000
    reborn = SystemClock(fs)
    assert reborn.now().wire_ms == front.now().wire_ms - 120_000
    move(fs, front, 30_000)
    machine.passes(LOOK_MS)

    assert reborn.now().business_ms == 5_030_000
    assert SystemClock(fs).now().business_ms == 5_030_000
    machine.passes(1_000)
    assert reborn.now().business_ms == 5_031_000
    assert front.now().business_ms - reborn.now().business_ms <= LOOK_MS


def test_the_file_is_not_read_at_every_question(monkeypatch: pytest.MonkeyPatch):
    """A loop asks for the time at every turn; one look lasts a while."""
    machine, fs = Machine(monkeypatch), Counting()
    clock = SystemClock(fs)
    for _ in range(100):
        machine.passes(1)
        clock.now()

    assert fs.reads == 1 + 100 // LOOK_MS


def test_a_frozen_clock_stands_and_goes_on_from_there(monkeypatch: pytest.MonkeyPatch):
    """Following again is no jump: business time stays behind by as long as it stood."""
    machine, fs = Machine(monkeypatch), SimFs()
    clock = SystemClock(fs)
    move(fs, clock, 0, "freeze")
    machine.passes(60_000)
    stood = clock.now()
    assert (stood.wire_ms, stood.business_ms) == (5_060_000, 5_000_000)

    move(fs, clock, 0)
    machine.passes(500)
    assert clock.now().business_ms == 5_000_500


def test_a_frozen_clock_can_be_advanced(monkeypatch: pytest.MonkeyPatch):
    """Step by step, as tests of a calendar do."""
    machine, fs = Machine(monkeypatch), SimFs()
    clock = SystemClock(fs)
    for _ in range(3):
        move(fs, clock, 1_000, "freeze")
        machine.passes(100)
        clock.now()

    assert clock.now().business_ms == 5_003_000


def test_a_new_process_goes_on_where_the_house_stands(monkeypatch: pytest.MonkeyPatch):
    """The setting survives every restart."""
    machine, fs = Machine(monkeypatch), SimFs()
    move(fs, SystemClock(fs), 3 * DAY_MS)
    machine.passes(10)

    assert SystemClock(fs).now().business_ms == 5_000_010 + 3 * DAY_MS


def test_business_time_never_goes_behind_what_a_journal_saw(monkeypatch: pytest.MonkeyPatch):
    """Also when the file was lost while nobody ran: it goes on from there, and says so."""
    machine, told = Machine(monkeypatch), []
    clock = SystemClock(SimFs(), lambda event, **fields: told.append((event, fields)))
    clock.not_before(5_000_000, 5_000_000 + DAY_MS)
    machine.passes(1_000)

    assert clock.now().business_ms == 5_001_000 + DAY_MS
    assert told == [("clock.behind", {"behind_ms": DAY_MS})]


@pytest.mark.parametrize(
    ("data", "event"),
    [
        (None, "clock.gone"),
        (b"", "clock.damaged"),
        (b'{"mode":"follow"}'.ljust(BYTES_MAX + 1), "clock.damaged"),  # not even read
        (b'{"mode":"freeze","ahead_ms":1}', "clock.damaged"),
        (b'{"mode":"follow","ahead_ms":0}', "clock.behind"),
    ],
)
def test_a_clock_file_that_was_spoilt_puts_no_time_back(
    monkeypatch: pytest.MonkeyPatch, data: bytes | None, event: str
):
    """The last known setting is kept, and people are told once."""
    machine, fs, told = Machine(monkeypatch), SimFs(), []
    clock = SystemClock(fs, lambda event, **_fields: told.append(event))
    move(fs, clock, DAY_MS)
    machine.passes(100)
    clock.now()
    if data is None:
        fs.unlink(PATH)
    else:
        fs.replace(PATH, data)
    for _ in range(3):
        machine.passes(100)
        shown_ms = clock.now().business_ms

    assert 5_000_300 <= shown_ms - DAY_MS <= 5_000_400
    assert told == [event]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"mode":"back"}',
        b'{"mode":"follow","ahead_ms":"1"}',
        b'{"mode":"follow","ahead_ms":99999999999999}',
        b'{"mode":"freeze","frozen_at":"noon"}',
        b'{"mode":"follow","frozen_at":"2026-02-09T12:00:00.000Z"}',
        b"\xff",
    ],
)
def test_nobody_starts_on_a_damaged_clock_file(data: bytes):
    """A guess could put business time back; the file and the remedy are named."""
    fs = SimFs()
    fs.replace(PATH, data)
    with pytest.raises(BadSettings, match=r"data/clock\.json: .*put it back from a copy"):
        SystemClock(fs)


def test_dying_while_the_clock_is_moved_keeps_the_old_setting_or_the_new():
    """At every step of every crash, error and power cut; what was answered is never lost."""
    before, after = moved(30_000), moved(60_000)
    answered: list[ClockSetting] = []

    def run(fs: SimFs, _clock: SimClock) -> None:
        answered.clear()
        for setting in (before, after):
            write_setting(fs, setting)
            answered.append(setting)

    def check(_seen: Files, fs: SimFs) -> None:
        legal = {0: [NOBODY_MOVED_IT, before], 1: [before, after], 2: [after]}[len(answered)]
        assert read_setting(fs) in legal

    scenario = Scenario(run, lambda _fs, _clock: None, check)
    calls = steps(scenario)
    for points in (kills(calls), power_cuts(calls, 1), errors(calls)):
        survive_all(scenario, points)


def test_a_journal_remembers_how_far_business_time_was():
    """An actor that starts again, perhaps without the file, goes on from there."""
    fs, clock = SimFs(), SimClock()
    clock.advance_business_ms(DAY_MS)
    driver = drive(fs, clock)
    feed(fs, "vault", deposit_line(1, "tok_1"))
    settle(driver)
    again = SimClock()
    drive(fs, again)

    assert again.now().business_ms == clock.now().business_ms
    assert b'"ahead_ms":86400000,"dur"' in fs.read(journal_path("gateway"))


def test_tokens_have_the_length_asked_for_and_differ():
    """16 bytes are 32 hex digits, and two draws are not the same."""
    first, second = SystemRng().token_hex(16), SystemRng().token_hex(16)

    assert len(first) == 32
    assert first != second
