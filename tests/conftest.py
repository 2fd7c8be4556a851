"""For all tests: a real house to talk to, and no skipping where everything is required."""

import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import pytest

from actors.cli.stories.houses import House, own_house

#: Set where everything must be there: what cannot be tested is then a failure.
REQUIRE_ALL = "PAYRAIL_REQUIRE_ALL"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A ready house with the demo merchants, on free ports of this machine, in `tmp_path`."""
    async with own_house(home=tmp_path / "home") as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return _not_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return _not_skipped((yield))


def _not_skipped(report: Any) -> Any:
    if report.skipped and os.environ.get(REQUIRE_ALL) and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but {REQUIRE_ALL} is set: {report.longrepr}"
    return report
