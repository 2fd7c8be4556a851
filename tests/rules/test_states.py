"""The pictures of the states are drawn from the tables that the code obeys."""

import pytest
from typer.testing import CliRunner

from actors.cli.main import app
from payrail.domain.disputes import DisputeState
from payrail.domain.payments import PaymentState
from payrail.domain.payouts import PayoutState
from payrail.domain.refunds import RefundState
from payrail.domain.states import MOVES, mermaid, text

STATES = {
    "payment": PaymentState,
    "refund": RefundState,
    "dispute": DisputeState,
    "payout": PayoutState,
}


@pytest.mark.parametrize("about", MOVES)
def test_every_state_is_drawn_and_can_be_reached(about):
    """A state that no move leads to, or that a picture lacks, is a mistake."""
    states = {str(state) for state in STATES[about]}
    reached: set[str | None] = {None}
    for _ in MOVES[about]:
        reached |= {end for state, _type, end in MOVES[about] if state in reached}
    assert reached == {None, *states}
    for state in states:
        assert f" {state}" in mermaid(about)
        assert state in text(about)


def test_picture_has_beginning_and_end():
    """A dispute begins as an inquiry or opened; lost and closed are for good."""
    drawn = mermaid("dispute").splitlines()

    assert drawn[0] == "stateDiagram-v2"
    assert [line.strip() for line in drawn if "[*]" in line] == [
        "[*] --> inquiry: opened",
        "[*] --> opened: opened",
        "closed --> [*]",
        "lost --> [*]",
    ]


def test_text_tells_each_move_once():
    """One line a move, grouped by where it starts."""
    assert text("payout").splitlines() == [
        "payout",
        "  (nothing)         payout.created  in_transit",
        "  in_transit        payout.paid     paid",
        "                    payout.failed   failed",
        "  paid              payout.failed   failed",
    ]


def test_command_draws_one_or_all():
    """`payrail docs states` prints the tables, or diagrams for a page."""
    runner = CliRunner()

    assert runner.invoke(app, ["docs", "states", "refund"]).output.startswith("refund\n")
    drawn = runner.invoke(app, ["docs", "states", "--mermaid"]).output
    assert drawn.count("```mermaid\nstateDiagram-v2\n") == len(MOVES)
    assert runner.invoke(app, ["docs", "states", "poem"]).exit_code != 0
