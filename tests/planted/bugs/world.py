"""Bugs of the made-up world: what would make it repeat itself, change under people, or grow."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_ROOMS = "payrail.domain.synthetic"
_PLAN, _WORLD = "rules/test_synthetic_plan.py", "rules/test_synthetic_world.py"

BUGS = (
    Planted(
        "world-with-twin-cards",
        "account numbers are stepped through by a stride that meets some of them twice",
        (Edit(f"{_ROOMS}.issued:_form", "slot * _STRIDE", "slot // 2 * _STRIDE"),),
        (seen_by(_WORLD, pick="all_different"),),
        faults_only=True,
    ),
    Planted(
        "world-that-grows-otherwise",
        "who buys is drawn anew when there are more payments",
        (
            Edit(
                f"{_ROOMS}.plan:Plan.world",
                "World(self.seed,",
                "World(self.seed + self.payments,",
            ),
        ),
        (seen_by(_PLAN, pick="same_payment_in_every_plan"),),
        faults_only=True,
    ),
    Planted(
        "plan-with-lost-dues",
        "what is due on the day of its payment is never asked for",
        (Edit(f"{_ROOMS}.plan:Plan.due", "day + 1 if self.days", "day if self.days"),),
        (seen_by(_PLAN, pick="due_is_what_was_planned"),),
        faults_only=True,
    ),
    Planted(
        "plan-behind-its-end",
        "orders are planned for days that never come",
        (Edit(f"{_ROOMS}.lives:placed", "one.day < days", "one.day <= days"),),
        (seen_by(_PLAN, pick="illegal_move"),),
        faults_only=True,
    ),
)
