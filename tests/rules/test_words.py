"""The pages say what is so: tests, settings and verbs that they name exist."""

import re
from pathlib import Path

import pytest

from payrail.settings import Settings

ROOT = Path(__file__).parents[2]
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))


def named_tests() -> list[str]:
    return sorted(set(re.findall(r"`(test_\w+)`", (ROOT / "tests/README.md").read_text())))


@pytest.mark.parametrize("name", named_tests())
def test_every_test_that_the_map_names_exists(name: str) -> None:
    """A promise without a test is absent, whatever the map says."""
    assert re.search(rf"^(async )?def {name}\(", TESTS, re.MULTILINE)


def test_the_env_file_names_every_setting() -> None:
    """`.env` is where people look first."""
    listed = set(re.findall(r"^#? ?(PAYRAIL_\w+)=", (ROOT / ".env").read_text(), re.MULTILINE))
    assert {
        f"PAYRAIL_{name.upper().removesuffix('_MS')}" for name in Settings.model_fields
    } <= listed


def test_only_the_agreed_names_stand_at_the_top() -> None:
    """One more folder at the top is one more thing to explain to everybody."""
    agreed = {
        *("payrail", "actors", "mailboxes", "data", "docker", "tests", ".ci", ".git"),
        *("pyproject.toml", "docker-compose.yml", ".env", ".gitignore", ".dockerignore"),
        *("README.md", "CHANGELOG.md", "STYLE.md", "LICENSE"),
        *("requirements.lock", "requirements-dev.lock"),
    }
    made_by_tools = {path.name for path in ROOT.glob(".*_cache")} | {".venv", ".hypothesis"}
    found = {path.name for path in ROOT.iterdir()} - made_by_tools
    assert found - agreed == set()
