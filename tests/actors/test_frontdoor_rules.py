"""GET /rules and the canary of GET /providers: the gateway's views, as they stand."""

from pathlib import Path
from typing import Any

from payrail.domain.words.rules import VIEW
from payrail.runtime.actor import Show
from payrail.storage.lines import encode
from tests.actors.doors import open_door
from tests.actors.test_gateway_rules_reload import BAD, TO_B, House

CANARY = TO_B + b'[canary]\nprovider = "providerB"\npercent = 10\n'


def put(home: Path, shows: list[Show]) -> None:
    """Write views as the gateway's process does."""
    for show in shows:
        where = home / show.path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(encode(show.data) + b"\n")


async def rules(door: Any, role: str = "viewer") -> dict[str, Any]:
    status, _, page = await door.ask("GET", "/rules", key=door.key(role))
    assert status == 200
    return {row["id"]: row for row in page["data"]}


async def test_each_file_is_listed_with_what_is_in_force_and_what_is_wrong(tmp_path: Path):
    """Whoever may read sees the line that has to be mended, and the rules that hold meanwhile."""
    house = House()
    step = house.write(BAD)
    assert step is not None
    put(tmp_path, step.shows)
    async with open_door(tmp_path) as door:
        rows = await rules(door)
        assert (await door.ask("GET", "/rules", key=""))[0] == 401
    row = rows["routing"]

    assert (row["object"], row["file"]) == ("rules", "data/rules/routing.toml")
    assert (row["state"], [error["line"] for error in row["errors"]]) == ("refused", [2])
    assert row["sha256"] == house.state.rules["routing"].sha256 != row["refused_sha256"]
    assert {one["state"] for name, one in rows.items() if name != "routing"} == {"in_force"}


async def test_without_a_gateway_there_are_no_rules_yet(tmp_path: Path):
    """An empty list, and no guess at what would be in force."""
    assert not (tmp_path / VIEW).exists()
    async with open_door(tmp_path) as door:
        assert await rules(door) == {}


async def test_a_provider_is_shown_with_its_canary(tmp_path: Path):
    """The share that it has, and the one that people asked for."""
    step = House().write(CANARY)
    assert step is not None
    put(tmp_path, step.shows)
    async with open_door(tmp_path) as door:
        _, _, shown = await door.ask("GET", "/providers/providerA")
    assert shown["canary"] is None
    (view,) = [show for show in step.shows if show.path.endswith("providerB_state.json")]

    assert view.data["canary"] == {
        "percent": 10,
        "percent_asked": 10,
        "answers_min": 50,
        "points_max": 5,
        "rolled_back_at": None,
    }
