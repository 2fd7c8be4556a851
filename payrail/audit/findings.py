"""What a check of the files has found: each finding names file and line.

`damage` is something that no crash of ours leaves behind; a `note` is what one may leave.
"""

from collections.abc import Iterable
from dataclasses import dataclass

DAMAGE = "damage"
NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written. `line` counts from 1; 0 is the file as a whole."""

    path: str
    line: int
    what: str
    severity: str = DAMAGE

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def damaged(findings: Iterable[Finding]) -> list[Finding]:
    """Those that are damage."""
    return [finding for finding in findings if finding.severity == DAMAGE]
