"""Ask a real house everything that its documents allow, and everything that they forbid.

    python -m tests.chaos.fuzz --cases 20000 --seed 42

Starts a house of its own, makes a few cards and payments, then lets schemathesis walk through the
documents of the three doors with all its checks, stateful along their links, round after round with
the next seed, until so many cases were asked. Exit 0: nothing was found; 1: what was found is told,
with a command to ask it again. The same seed asks the same of a house in the same state.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from actors.cli.chaos.house import ROOT, House
from tests.scenarios.shop import Shop

#: One round of one door; the run ends between rounds once enough was asked.
ROUND_S_MAX = 600
EXAMPLES_A_ROUND = 25
PAYMENTS = 6
_DOORS = ("API", "VAULT", "PROVIDER")
_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance,negative_data_rejection,"
    "positive_data_acceptance,missing_required_header,unsupported_method,"
    "allow_header_conformance,use_after_free,ensure_resource_availability,ignored_auth,"
    "problem_is_one_of_ours"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one round at one door came to; `told` is empty when nothing was found."""

    door: str
    seed: int
    cases: int
    told: str


class Fuzzer:
    """A house that is up, and what is in it for a fuzzer to find."""

    def __init__(self, house: House, folder: Path) -> None:
        self._house, self._folder = house, folder
        shop = Shop(house)
        admin = shop.keys["admin"]
        internal = (house.home / "data/secrets/internal").read_text().strip()
        self._keys = {"API": admin, "VAULT": admin, "PROVIDER": internal}
        self._there = _made_in(shop)

    def rounds(self, cases: int, seed: int, examples: int) -> Iterator[Asked]:
        """Door after door, until `cases` were asked."""
        asked = 0
        while asked < cases:
            for door in _DOORS:
                found = self.ask(door, seed, examples)
                asked += found.cases
                yield found
            seed += 1

    def ask(self, door: str, seed: int, examples: int) -> Asked:
        """One round. Raises RuntimeError when the fuzzer itself fails."""
        report = self._folder / f"{door}-{seed}.json"
        ran = subprocess.run(
            [*self._command(door, seed, examples), "--report-json-path", str(report)],
            cwd=self._folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=ROUND_S_MAX,
            check=False,
        )
        if ran.returncode not in (0, 1) or not report.exists():
            raise RuntimeError(f"the fuzzer failed: {ran.stdout[-3000:]}{ran.stderr[-3000:]}")
        cases = json.loads(report.read_text())["test_cases"]["generated"]
        return Asked(door, seed, cases, ran.stdout if ran.returncode else "")

    def _command(self, door: str, seed: int, examples: int) -> list[str]:
        return [
            *(sys.executable, "-W", "ignore", "-m", "schemathesis.cli"),
            *("run", f"http://127.0.0.1:{self._house.ports[door]}/openapi.json"),
            *("--header", f"Authorization: Bearer {self._keys[door]}"),
            *("--checks", _CHECKS, "--max-examples", str(examples), "--seed", str(seed)),
            *("--request-timeout", "30", "--suppress-health-check", "all"),
            *("--generation-database", "none", "--warnings", "off", "--no-color"),
        ]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.chaos.fuzz_hooks",
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self._folder / "examples"),
            "PAYRAIL_FUZZ_THERE": json.dumps(self._there),
        }


def _made_in(shop: Shop) -> dict[str, list[str]]:
    """Some cards, and payments in several states."""
    tokens = [shop.tokenize() for _ in range(3)]
    payments = [str(shop.create(tokens[0], confirm=True).body["id"]) for _ in range(PAYMENTS)]
    for payment_id in payments[::2]:
        shop.post(f"/payment-intents/{payment_id}/capture", {})
    return {"token": tokens, "payment_intent": payments}


def main() -> int:
    """Run until so many cases were asked; result: the exit code."""
    given = _arguments()
    began, asked, found = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(prefix="payrail-fuzz-") as made:
        house = House(Path(made))
        house.start()
        try:
            for one in Fuzzer(house, Path(made)).rounds(given.cases, given.seed, given.examples):
                asked, found = asked + one.cases, found + bool(one.told)
                took_s = time.monotonic() - began
                print(
                    f"{one.door:<8} seed {one.seed}: {one.cases} cases, {asked} in {took_s:.0f} s"
                )
                print(one.told, end="", flush=True)
        finally:
            house.stop()
    print(f"{asked} cases; {'nothing was found' if not found else f'found in {found} rounds'}")
    return 1 if found else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cases", type=int, default=2_000, help="ask at least so many")
    parser.add_argument("--seed", type=int, default=42, help="of the first round")
    parser.add_argument("--examples", type=int, default=EXAMPLES_A_ROUND, help="a round")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
