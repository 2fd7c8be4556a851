"""Compare a book, line by line, with what the journal of its writer says.

Every line of a book stands in a journal line too, so that a line that was changed, removed,
swapped, repeated or added is found even when the chain of the book was recomputed.
"""

from dataclasses import dataclass, field

from payrail.audit.findings import Finding
from payrail.audit.journals import Expected, Facts
from payrail.audit.reading import Part, has_broken_end, prev_of
from payrail.storage.lines import GENESIS, hash_of, is_whole


@dataclass(slots=True)
class _Walk:
    """Where the comparison stands: `at` of the expected lines have been found."""

    path: str
    expected: Expected
    writer: Facts
    at: int = 0
    unknown: int = 0  # lines since then that no journal line holds
    findings: list[Finding] = field(default_factory=list)
    places: dict[str, int] | None = None

    def place(self, line_hash: str) -> int | None:
        """Which of the expected lines this is."""
        if self.places is None:
            self.places = {known: i for i, known in enumerate(self.expected.hashes)}
        return self.places.get(line_hash)

    def damage(self, number: int, what: str) -> None:
        self.findings.append(Finding(self.path, number, what))


def check_book(part: Part, expected: Expected, writer: Facts) -> list[Finding]:
    """Findings of one book, whose size was taken before the end of the writer's journal was."""
    walk = _Walk(part.path, expected, writer)
    prev: str = GENESIS
    for number, _, line in part.lines():
        if not is_whole(line):
            walk.damage(number, "the line's bytes do not match its hash")
            walk.unknown, prev = walk.unknown + 1, ""
            continue
        line_hash = hash_of(line)
        before = len(walk.findings)
        _compare(walk, number, line_hash)
        follows = not prev or prev_of(line) == prev
        if not follows and len(walk.findings) == before and not walk.unknown:
            walk.damage(number, "the line does not follow the one above")
        prev = line_hash
    _check_end(walk, part)
    return walk.findings


def _compare(walk: _Walk, number: int, line_hash: str) -> None:
    hashes = walk.expected.hashes
    if not walk.unknown and walk.at < len(hashes) and hashes[walk.at] == line_hash:
        walk.at += 1
        return
    place = walk.place(line_hash)
    if place is None:
        _unknown(walk, number)
    elif place < walk.at:
        walk.damage(number, f"the line is repeated or out of place: it is line {place + 1}")
    else:
        _resume(walk, number, place)


def _unknown(walk: _Walk, number: int) -> None:
    """A line that no journal line holds. One finding for a run of them."""
    if walk.writer.blind and walk.at + walk.unknown >= len(walk.expected.hashes):
        return
    if not walk.unknown:
        journal = f"{walk.writer.path}:{walk.writer.steps}"
        beyond = walk.at >= len(walk.expected.hashes)
        walk.damage(
            number,
            f"the line is unknown to the journal: added here, or {journal} is not its end"
            if beyond
            else "the line is not what the journal says: changed or added",
        )
    walk.unknown += 1


def _resume(walk: _Walk, number: int, place: int) -> None:
    missing = place - walk.at - walk.unknown
    if missing > 0:
        walk.damage(number, f"{_lines(missing)} missing before this line: removed or moved")
    walk.at, walk.unknown = place + 1, 0


def _check_end(walk: _Walk, part: Part) -> None:
    due = walk.expected.due(walk.writer.told)
    missing = due - walk.at - walk.unknown
    last = part.line_count + 1
    if has_broken_end(part.tail):
        walk.damage(last, "the line's end is damaged")
    elif missing > 0:
        walk.damage(last, f"{_lines(missing)} missing at the end; the journal still has them")


def _lines(count: int) -> str:
    return "1 line is" if count == 1 else f"{count} lines are"
