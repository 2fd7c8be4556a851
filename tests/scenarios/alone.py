"""One flow of the simulation by itself: what it does where nothing stands in its way."""

from actors.simulation.run import Result, run_plan
from actors.simulation.schedule import MERCHANTS, Plan, Wish


def alone(
    flow: str, choice: int, merchant: str = MERCHANTS[0], amount_minor: int = 5_000
) -> Result:
    """A day on which nobody else is there, and nothing fails."""
    wish = Wish(1, flow, merchant, amount_minor, "USD", 0, clicks_twice=False, choice=choice)
    # Somebody is killed in a schedule without a restart, unless a part of it was left out.
    return run_plan(Plan(choice, (wish,), (), left_out=(99,)))
