"""What a snapshot lets a start skip is looked at all the same."""

import pytest

from payrail.errors import Corrupt
from payrail.runtime.scrub import Prefix, Scrub
from payrail.runtime.sim import NOON_MS, SimClock, SimFs
from tests.runtime.toy import deposit_line, drive, feed, settle

JOURNAL = "data/actors/gateway/journal.jsonl"
BOOK = "data/toy/deposits.jsonl"


def snapshot() -> SimFs:
    """A toy with twenty deposits and a snapshot behind them."""
    fs = SimFs()
    driver = drive(fs, SimClock(NOON_MS, NOON_MS))
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 21)))
    settle(driver)
    driver.write_documents()
    driver.flush()
    return fs


@pytest.mark.parametrize("path", [JOURNAL, BOOK])
def test_damage_before_the_snapshot_is_named_before_anything_is_written(path: str) -> None:
    """The start is refused with file and line; the damaged home stays as it is."""
    fs = snapshot()
    lines = fs.read(path).split(b"\n")
    lines[4] = lines[4].replace(b"tok_", b"tik_", 1)
    fs.open(path).pwrite(0, b"\n".join(lines))
    before = {name: fs.read(name) for name in (JOURNAL, BOOK)}

    with pytest.raises(Corrupt, match=f"{path}:5"):
        drive(fs, SimClock(NOON_MS, NOON_MS))

    assert {name: fs.read(name) for name in before} == before


def test_a_long_file_is_checked_in_slices() -> None:
    """A slice is bounded, and the damage behind it is found when its turn comes."""
    fs = snapshot()
    data = fs.read(BOOK)
    head = data.rstrip(b"\n")[-66:-2].decode()
    fs.open(BOOK).pwrite(len(data) - 100, b"x")
    scrub = Scrub(fs, [Prefix(BOOK, len(data), head)], slice_bytes=len(data) // 3)

    scrub.run(1)
    assert not scrub.done
    with pytest.raises(Corrupt, match=f"{BOOK}:20"):
        scrub.run(1 << 30)


def test_a_whole_prefix_passes() -> None:
    """No false alarm, also when the file has grown since."""
    fs = snapshot()
    data = fs.read(BOOK)
    scrub = Scrub(fs, [Prefix(BOOK, len(data), data.rstrip(b"\n")[-66:-2].decode())])
    fs.open(BOOK).append(b"a line that came later")

    scrub.run(1 << 30)

    assert scrub.done
