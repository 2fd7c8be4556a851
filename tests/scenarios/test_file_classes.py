"""No file is written without a scene that breaks the writing of it.

A file class is a path without its dates and numbers. What no scene writes is told here, with what
breaks it instead.
"""

import re
from pathlib import Path

import pytest

from actors.cli.chaos.house import House
from actors.simulation import points
from actors.simulation.run import REST_MS_MAX, STEPS_MAX, base_disk, plan_of
from actors.simulation.scenes import SCENES
from actors.simulation.trace import Trace
from actors.simulation.world import World
from tests.scenarios.shop import Shop

#: What no scene writes, as patterns, and why that is no hole.
ELSEWHERE = {
    # By the doors: `simulate` breaks them in the whole house, test_simdoors_crash at each effect.
    r"data/clock\.json": "the front door's setting of business time",
    r"data/metrics(/service_metrics\.jsonl)?": "figures: whoever dies loses some",
    r"data/actors/vault\.http(/journal\.jsonl)?": "the same code as the front door's journal",
    r"mailboxes/[a-z-]+/frontdoor\.jsonl|mailboxes/vault/vault\.http\.jsonl": "questions",
    r"mailboxes/dispatcher(/gateway\.jsonl)?": "the same code as every other spool",
    r"mailboxes/[a-z-]+/old/[a-z.-]+\.PLACE\.jsonl": "the same code for every spool that is moved",
    # By people and their tools, not by an actor.
    r"mailboxes/[a-z-]+/control\.jsonl": "orders of the command line to a supervisor",
    # Not through the port of files: nothing is promised of them after a power cut.
    r"data/logs(/.*)?|data/actors/[a-z.-]+/(cell|lock|bell)|data/actors/supervisor(/.*)?": "hints",
}


def written_by_scenes() -> set[str]:
    return {points.file_class(call.path) for key in SCENES for _, call in points.effects(key)}


def is_elsewhere(file_class: str) -> bool:
    return any(re.fullmatch(pattern, file_class) for pattern in ELSEWHERE)


def missing(paths: set[str]) -> set[str]:
    """Classes of these paths that no scene breaks."""
    found = {points.file_class(path) for path in paths} - written_by_scenes()
    return {one for one in found if not is_elsewhere(one)}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_file_of_a_simulated_machine_is_broken_by_a_scene(seed: int) -> None:
    """The whole house at its doors, with every actor and all flows of its shops."""
    world = World(plan_of(seed), base_disk().copy(), Trace(), STEPS_MAX)
    world.open()
    world.play()
    world.rest(REST_MS_MAX)
    world.close()

    assert missing(set(world.machine.disk.names)) == set()


@pytest.mark.scenario
def test_every_file_of_a_real_house_is_broken_by_a_scene(tmp_path: Path) -> None:
    """Processes, a real disk, and a payment of each end."""
    house = House(tmp_path)
    house.start()
    try:
        shop = Shop(house)
        paid = shop.create(shop.tokenize(), confirm=True, capture_method="automatic").body["id"]
        shop.post("/refunds", {"payment_intent": paid, "amount": 5, "reason": "sent back"})
    finally:
        house.stop()
    paths = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}

    assert missing({path for path in paths if path.startswith(("data/", "mailboxes/"))}) == set()
