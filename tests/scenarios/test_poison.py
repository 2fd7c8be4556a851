"""A message that kills its reader is set aside after three deaths, and nothing else waits."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.shop import Answer, Shop

pytestmark = pytest.mark.scenario


class PoisonedHouse(House):
    command = ("-m", "tests.scenarios.poisoned")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = PoisonedHouse(tmp_path)
    house.start()
    yield house
    house.stop()


def letters(house: House) -> list[dict[str, object]]:
    """The gateway's dead letters."""
    lines = (house.home / "mailboxes/dlq/gateway.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_poison_is_a_dead_letter_after_three_deaths_while_others_pass(house: House) -> None:
    """The killer is answered 500 and set aside; a payment sent right behind it is made."""
    shop = Shop(house)
    token = shop.tokenize()
    answers: list[Answer] = []
    killer = threading.Thread(
        target=lambda: answers.append(shop.create(token, metadata={"poison": "kill"}))
    )
    killer.start()
    behind = shop.create(token, 500)
    killer.join(30)

    assert behind.status == 201
    assert answers[0].status == 500
    assert answers[0].body["correlation_id"]
    (letter,) = letters(house)
    assert (letter["why"], letter["deaths"]) == ("crash_loop", 3)
    assert letter["message"]["body"]["metadata"] == {"poison": "kill"}  # type: ignore[index]
    row = house.row("gateway")
    assert row is not None
    assert row["restarts"] == 3


def test_a_rule_that_raises_answers_500_and_the_gateway_lives(house: House) -> None:
    """No restart, one dead letter with the place of the fault, and the next request is served."""
    shop = Shop(house)
    token = shop.tokenize()

    failed = shop.create(token, metadata={"poison": "raise"})

    assert failed.status == 500
    (letter,) = letters(house)
    assert letter["why"] == "decide_error"
    assert letter["error"]["type"] == "ZeroDivisionError"  # type: ignore[index]
    row = house.row("gateway")
    assert row is not None
    assert row["restarts"] == 0
    assert shop.create(token).status == 201
