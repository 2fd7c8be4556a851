"""The independent auditor, asked as a program of its own: it imports no product code, and the
product imports none of it.

It stands in the tests folder of a checkout. An installed product does not have it: then nobody but
the house's own `verify` and the run's own claims judge, and the report says so.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: The checkout, where this is one.
ROOT = Path(__file__).parents[3]
_PROGRAM = "tests.auditor"
#: Findings that a report for people shows.
SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the auditor said. `missing` says why there is none."""

    looked_at: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    missing: str = ""

    @property
    def is_clean(self) -> bool:
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        if self.missing:
            return {"ran": False, "why": self.missing}
        told = {"looked_at": dict(self.looked_at), "findings": list(self.findings)}
        return {"ran": True, "clean": self.is_clean, **told}

    def text(self) -> list[str]:
        """A line for what it looked at, then the findings."""
        if self.missing:
            return [f"not asked: {self.missing}"]
        looked_at = ", ".join(f"{name} {count}" for name, count in sorted(self.looked_at.items()))
        shown = list(self.findings[:SHOWN_MAX])
        if len(self.findings) > SHOWN_MAX:
            shown.append(f"… and {len(self.findings) - SHOWN_MAX} more")
        return [f"{'clean' if self.is_clean else 'FOUND'}: {looked_at}", *shown]


def ask_auditor(
    home: Path,
    witness: Path,
    *,
    pans: Iterable[str],
    extra: Iterable[Path] = (),
    clock_was_set: bool = False,
) -> Verdict:
    """Let it judge a settled house at rest with the witness files of the run. Card numbers are
    looked for in the home, in the witness files and in `extra`."""
    if not (ROOT / "tests" / "auditor" / "__main__.py").exists():
        return Verdict(missing="the auditor is in the tests folder of a checkout, not installed")
    cards = witness / "cards.txt"
    cards.write_text("".join(f"{number}\n" for number in pans))
    seen = [witness / f"{name}.jsonl" for name in ("history", "heads", "sink")]
    words = ["--is-settled", "--json", "--pans", str(cards)]
    words += ["--clock-was-set"] if clock_was_set else []
    for path in seen:
        words += [f"--{path.stem}", str(path)]
    for path in (*extra, seen[0], seen[2]):
        words += ["--extra", str(path)]
    ran = subprocess.run(
        [sys.executable, "-m", _PROGRAM, str(home), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode not in (0, 1):
        return Verdict(findings=(f"ended with {ran.returncode}: {ran.stderr[-1000:]}",))
    told = json.loads(ran.stdout)
    findings = tuple("{check}: {path}:{line}: {message}".format(**one) for one in told["findings"])
    return Verdict(told["looked_at"], findings)
