"""python -m tests.auditor HOME [--history F] [--heads F] [--sink F] [--pans F]
        [--is-settled] [--baseline F] [--extra F] [--json]

Exit code 0 when nothing was found, 1 when something was, 2 when the arguments make no sense.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.auditor.audit import audit
from tests.auditor.pan import read_pans


def _arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.auditor", description=audit.__doc__)
    parser.add_argument("home", type=Path, help="the folder with data/ and mailboxes/")
    parser.add_argument("--history", type=Path, help="what clients saw, JSONL")
    parser.add_argument("--heads", type=Path, help="heads of books seen during the run, JSONL")
    parser.add_argument("--sink", type=Path, help="what the endpoints heard, JSONL")
    parser.add_argument("--is-settled", action="store_true", help="all captures must be settled")
    parser.add_argument("--pans", type=Path, help="card numbers to look for, one a line")
    parser.add_argument("--extra", type=Path, action="append", default=[], help="search this too")
    parser.add_argument("--clock-was-set", action="store_true", help="times tell no order")
    parser.add_argument("--baseline", type=Path, help="ids of known dead letters, one a line")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    found = parser.parse_args(given)
    if not found.home.is_dir():
        parser.error(f"{found.home} is no folder")
    return found


def main(given: list[str]) -> int:
    """Audit, print, and say by the exit code whether all is well."""
    asked = _arguments(given)
    report = audit(
        asked.home,
        history=asked.history,
        heads=asked.heads,
        sink=asked.sink,
        is_settled=asked.is_settled,
        pans=read_pans(asked.pans) if asked.pans else (),
        extra=asked.extra,
        clocks_agree=not asked.clock_was_set,
        known_dead=asked.baseline.read_text().split() if asked.baseline else (),
    )
    print(json.dumps(report.as_json(), indent=2) if asked.json else report.table())
    return 0 if report.is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
