"""The files under docker/: who is in a container, what it may see, and what is open to whom."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # of the OpenAPI validator

from actors.wiring import NAMES

ROOT = Path(__file__).parents[2]
HOME = "/srv/payrail"
#: Services that run no actor.
TOOLS = frozenset({"prepare", "seed", "books"})
#: Where an actor's own secrets lie.
SECRETIVE = ("vault", "provider-a", "provider-b", "gateway")


def services(path: str = "docker-compose.yml") -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / path).read_text())["services"]
    return found


def hidden(service: dict[str, Any]) -> set[str]:
    """The folders of the home over which an empty one lies that nobody can write to."""
    rows = [row.split(":") for row in service["tmpfs"]]
    return {path for path, options in rows if path.startswith(HOME) and "ro" in options.split(",")}


def actor_services() -> list[str]:
    return [name for name in services() if name not in TOOLS]


@pytest.mark.parametrize("name", NAMES)
def test_every_actor_of_the_house_has_a_container(name):
    """`docker compose up` starts each actor alone, with its health check, also for reloading."""
    service = services()[name]

    assert "profiles" not in service, f"{name} is there: drop its `profiles` in docker-compose.yml"
    assert service["command"] == ["up", "--demo", "--only", name]
    assert service["environment"]["PAYRAIL_CHECK"] == name
    edited = services("docker/compose.reload.yml")[name]["command"]
    assert [word for word in edited if word != "--reload"] == service["command"]


@pytest.mark.parametrize("name", actor_services())
def test_a_container_sees_no_secret_of_another(name):
    """Keys, cards and tokens are in the vault alone, an actor's secrets with that actor alone."""
    service = services()[name]
    others = {f"{HOME}/data/secrets/{other}" for other in SECRETIVE if other != name}

    assert others <= hidden(service)
    assert (f"{HOME}/data/vault" in hidden(service)) is (name != "vault")
    assert bool(service["environment"]["PAYRAIL_VAULT_KEY"]) is (name == "vault")


def test_the_front_door_reads_the_access_log_and_nothing_else_of_the_vault():
    """One file of the vault's folder is given to one container, read-only."""
    log = "data/vault/access_log.jsonl"
    given = {
        name: [row for row in service["volumes"] if "/data/vault" in row]
        for name, service in services().items()
    }

    assert given.pop("frontdoor") == [f"./{log}:{HOME}/{log}:ro"]
    assert given.pop("books") == [f"/dev/null:{HOME}/data/vault/keys.json:ro"]
    assert not any(given.values())


@pytest.mark.parametrize("name", [*actor_services(), "seed", "books"])
def test_a_container_has_no_right_that_it_does_not_need(name):
    """No root, no capability, nothing to write but the mounts; only `prepare` is more, and ends."""
    service = services()[name]

    assert service["user"].startswith("${PAYRAIL_UID:-10001}")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "no-new-privileges:true" in service["security_opt"]


def test_ports_open_on_this_machine_alone():
    """API, vault and console are published, on loopback; the provider door is not."""
    rows = [row for service in services().values() for row in service.get("ports", [])]

    assert all(row.startswith("127.0.0.1:") for row in rows)
    published = sorted(re.findall(r"PAYRAIL_(\w+)_PORT:-(\d+)\}$", row)[0] for row in rows)
    assert published == [("API", "8026"), ("CONSOLE", "3026"), ("VAULT", "8027")]


def test_only_those_with_business_outside_can_reach_it():
    """The house's network has no way out; the second one is for published ports and webhooks."""
    networks = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["networks"]
    outside = {name for name, one in services().items() if "front" in one.get("networks", [])}

    assert networks["house"]["internal"] is True
    assert outside == {"vault", "frontdoor", "console", "dispatcher"}
    assert services()["prepare"]["network_mode"] == "none"


def test_no_image_is_whatever_is_newest():
    """Every image has a tag, and none of them is `latest`."""
    dockerfile = (ROOT / "docker/Dockerfile").read_text()
    images = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    images += [service["image"] for service in services().values()]

    assert all(":" in image and not image.endswith(":latest") for image in images)


def test_the_image_is_not_root_and_tells_how_it_is():
    """The image by itself: a user by number, a health check that asks `ps`, wheels by hash."""
    dockerfile = (ROOT / "docker/Dockerfile").read_text()

    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    assert 'CMD payrail ps --check "$PAYRAIL_CHECK"' in dockerfile
    assert "--require-hashes -r requirements.lock" in dockerfile
