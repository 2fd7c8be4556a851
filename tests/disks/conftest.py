"""Who may mount a disk: everybody else skips these tests, and is told why."""

import pytest

from tests.conftest import NO_RIGHT
from tests.disks.volumes import NoRight, NoTool, must_be_possible


@pytest.fixture(scope="session", autouse=True)
def disks() -> None:
    """Mounts can be made here. A tool that is missing could be installed, a right could not."""
    try:
        must_be_possible()
    except NoRight as error:
        pytest.skip(f"{NO_RIGHT}: {error}")
    except NoTool as error:
        pytest.skip(str(error))
