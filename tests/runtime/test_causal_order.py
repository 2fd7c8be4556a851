"""What an actor let happen before a client's question is decided before that question."""

import msgspec
import pytest

from payrail.runtime.sim import NOON_MS, SimClock, SimFs
from tests.runtime.toy import create_line, deposit_line, drive, feed, settle


@pytest.mark.parametrize("batch_bytes", [1, 600, 16 * 1024])
def test_a_question_waits_for_every_inner_line_written_before_it(batch_bytes: int) -> None:
    """Also when turns are short, because one message is suspected of killing its reader: five
    deposits stand in the mailbox, so a create behind them sees five."""
    fs, clock = SimFs(), SimClock(NOON_MS, NOON_MS)
    driver = drive(fs, clock)
    driver.intake.batch_bytes = batch_bytes
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 6)))
    feed(fs, "frontdoor", create_line(1, 5))

    settle(driver)

    (reply,) = fs.read("mailboxes/frontdoor/gateway.jsonl").splitlines()
    assert msgspec.json.decode(reply)["body"] == {"total": 5}
