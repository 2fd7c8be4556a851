"""What an invariant is, and what a check of them has found."""

from collections.abc import Callable
from dataclasses import dataclass, field

from actors.simulation.evidence import Evidence

Check = Callable[[Evidence], list[str]]

#: A broken run often breaks the same thing many times: so many sentences are kept of each.
SENTENCES_MAX = 20


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise. `check` gives a sentence for each way in which the evidence breaks it, naming
    the object, the file and the line. `needs_rest`: it speaks of a house that has ended its work.
    `is_deep`: it costs more than the others together, and is checked now and then."""

    id: str  # I2, as in the list of promises; A6: of actors
    title: str
    check: Check
    needs_rest: bool = False
    is_deep: bool = False

    def __str__(self) -> str:
        return f"{self.id} {self.title}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A promise that nothing checks yet, and why."""

    id: str
    title: str
    reason: str


@dataclass(slots=True)
class Findings:
    """What was found, by the id of the invariant; false when nothing was."""

    by_id: dict[str, list[str]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def add(self, invariant: Invariant, sentences: list[str]) -> None:
        if sentences:
            self.by_id[invariant.id] = sentences[:SENTENCES_MAX]
            self.titles[invariant.id] = invariant.title

    def __bool__(self) -> bool:
        return bool(self.by_id)

    def __str__(self) -> str:
        return "\n".join(
            f"{ident} {self.titles[ident]}\n" + "\n".join(f"  {one}" for one in sentences)
            for ident, sentences in self.by_id.items()
        )
