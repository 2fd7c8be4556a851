"""The documents and the doors say the same: what is allowed is taken, what is forbidden refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.cli.chaos.house import House
from tests.chaos.fuzz import Fuzzer

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]
CASES, SEED, EXAMPLES = 2_000, 42, 2


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzer]:
    house = House(tmp_path_factory.mktemp("house"))
    house.start()
    try:
        yield Fuzzer(house, tmp_path_factory.mktemp("fuzz"))
    finally:
        house.stop()


def test_two_thousand_cases_find_nothing(fuzzer: Fuzzer):
    """No 5xx, no answer that its document does not tell, no bad data taken, no good data refused,
    no way around a key: at all three doors, along every link between their operations."""
    rounds = list(fuzzer.rounds(CASES, SEED, EXAMPLES))

    assert not "".join(one.told for one in rounds)
    assert sum(one.cases for one in rounds) >= CASES
    assert not Path(".schemathesis").exists()
