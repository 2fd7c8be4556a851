"""One house of real processes for all tests of a file; `SETTINGS` of that file are its settings."""

from collections.abc import Iterator

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import living
from tests.scenarios.looked_through import look_through
from tests.scenarios.shop import Shop


@pytest.fixture(scope="module")
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with living(folder, getattr(request.module, "SETTINGS", None)) as house:
        yield house
    look_through(house, likely=getattr(request.module, "KEEPS_NUMBERS", False) is False)


@pytest.fixture(scope="module")
def shop(house: House) -> Shop:
    return Shop(house)
