"""What a run has done, in sums: they have the same size after ten payments and after a million."""

from collections import Counter
from dataclasses import dataclass, field

from actors.cli.scenes import Played

#: So many examples of what went otherwise are kept.
EXAMPLES_MAX = 20


@dataclass(slots=True)
class Tally:
    """Sums of a run. `due` can be settled, of which `waiting` are not yet."""

    payments: int = 0
    new: int = 0
    due: int = 0
    waiting: int = 0
    states: Counter[tuple[str, str]] = field(default_factory=Counter)  # as they were left
    amounts: Counter[tuple[str, str]] = field(default_factory=Counter)  # in minor units
    passed: Counter[str] = field(default_factory=Counter)
    providers: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    planned_breaks: Counter[str] = field(default_factory=Counter)
    wrong_count: int = 0
    wrong: list[dict[str, str]] = field(default_factory=list)
    example: str = ""  # the first payment

    def played(self, one: Played) -> None:
        """One payment stands as its day leaves it."""
        self.payments += 1
        self.new += one.is_new
        self.due += one.plan.scene.settles and one.state in ("captured", "settled")
        self.waiting += one.plan.scene.settles and one.state == "captured"
        self.states[one.state, one.plan.currency] += 1
        self.amounts[one.state, one.plan.currency] += one.plan.amount_minor
        self.passed.update(one.passed)
        self.providers[one.provider or "none"] += 1
        self.example = self.example or one.payment_id
        if one.wrong:
            self.otherwise(one.plan.key, one.payment_id, one.wrong)

    def otherwise(self, key: str, about: str, wrong: str) -> None:
        """Something is not as planned."""
        self.wrong_count += 1
        if len(self.wrong) < EXAMPLES_MAX:
            self.wrong.append({"key": key, "payment_id": about, "wrong": wrong})
