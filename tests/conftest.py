"""For all tests: a real house, verbs as people type them, no skipping where all is required."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from actors.cli.main import run
from actors.cli.stories.houses import House, environment, own_house

# How long an example takes tells of the machine alone.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

#: Set where everything must be there: what cannot be tested is then a failure.
REQUIRE_ALL = "PAYRAIL_REQUIRE_ALL"
#: How the reason begins of a skip that no installed tool could mend; it stays a skip.
NO_RIGHT = "not allowed here"


@pytest.fixture
async def demo_house(tmp_path: Path) -> AsyncIterator[House]:
    """A ready house with the demo merchants, on free ports of this machine, in `tmp_path`."""
    async with own_house(home=tmp_path / "home") as running:
        yield running


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of a house in `tmp_path` on free ports; none runs there yet."""
    return environment(tmp_path)


@pytest.fixture
def payrail(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Obey words as the console script would; result: exit code, stdout, stderr."""
    for name, text in env.items():
        monkeypatch.setenv(name, text)
    monkeypatch.chdir(env["PAYRAIL_HOME"])

    def obey(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["payrail", *words])
        code = run()
        out, err = capsys.readouterr()
        return code, out, err

    return obey


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return _not_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return _not_skipped((yield))


def _not_skipped(report: Any) -> Any:
    is_mendable = NO_RIGHT not in str(report.longrepr) and not hasattr(report, "wasxfail")
    if report.skipped and os.environ.get(REQUIRE_ALL) and is_mendable:
        report.outcome = "failed"
        report.longrepr = f"skipped, but {REQUIRE_ALL} is set: {report.longrepr}"
    return report
