"""What an audit found: findings that name file and line, and how much was looked at."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

#: Findings of one check that the table shows; the JSON has all.
SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that cannot be right. `line` counts from 1; 0 means the file as a whole."""

    check: str
    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(slots=True)
class Report:
    """All findings of one audit, and per check how many things it looked at."""

    findings: list[Finding] = field(default_factory=list)
    looked_at: Counter[str] = field(default_factory=Counter)

    def add(self, check: str, path: str, line: int, message: str) -> None:
        self.findings.append(Finding(check, path, line, message))

    def saw(self, check: str, count: int = 1) -> None:
        self.looked_at[check] += count

    @property
    def is_clean(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        return {
            "clean": self.is_clean,
            "looked_at": dict(sorted(self.looked_at.items())),
            "findings": [asdict(finding) for finding in self.findings],
        }

    def table(self) -> str:
        """One row per check, then the findings themselves."""
        found = Counter(finding.check for finding in self.findings)
        names = sorted({*self.looked_at, *found})
        width = max((len(name) for name in names), default=5)
        rows = [f"{'check':<{width}}  {'looked at':>9}  found"]
        rows += [f"{name:<{width}}  {self.looked_at[name]:>9}  {found[name]:>5}" for name in names]
        for name in sorted(found):
            rows += ["", name, *self._shown(name, found[name])]
        rows += ["", "clean" if self.is_clean else f"{len(self.findings)} findings"]
        return "\n".join(rows)

    def _shown(self, check: str, count: int) -> list[str]:
        of_check = [finding for finding in self.findings if finding.check == check]
        rows = [f"  {finding}" for finding in of_check[:SHOWN_MAX]]
        return rows + ([f"  … and {count - SHOWN_MAX} more"] if count > SHOWN_MAX else [])
