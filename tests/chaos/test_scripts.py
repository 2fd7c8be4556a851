"""The scripts that people can read, run as they would run them: bash, curl, jq, kill."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NO_RIGHT

HERE = Path(__file__).parent
SCRIPTS = sorted(path.name for path in HERE.glob("*.sh") if path.name != "house.sh")
#: Needs a house that somebody else has started.
BESIDE_A_HOUSE = "kill-gateway.sh"
#: What a script exits with where it cannot be run: no root, no tmpfs.
SKIPPED = 77


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("script", [name for name in SCRIPTS if name != BESIDE_A_HOUSE])
def test_what_a_script_says_of_a_house_holds(script: str, tmp_path: Path):
    """A provider stopped for too long, a full disk, two houses on a home, torn and edited files,
    dead letters: each fact holds, and `verify` finds nothing in the end."""
    must_be_there("jq", "curl", "bash")
    command = str(Path(sys.executable).parent / "payrail")
    env = {name: text for name, text in os.environ.items() if "PAYRAIL_" not in name}
    env |= {"PAYRAIL": command, "PYTHON": sys.executable, "TMPDIR": str(tmp_path)}
    env |= {"PYTHONPATH": str(HERE.parents[1])}
    ran = subprocess.run(
        ["bash", str(HERE / script)], env=env, capture_output=True, text=True, check=False
    )
    print(ran.stdout)
    if ran.returncode == SKIPPED:
        pytest.skip(f"{NO_RIGHT}: {ran.stderr.strip()}")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "WRONG" not in ran.stdout
    assert ran.stdout.count("  ok  ") >= 5
    assert list(tmp_path.glob("*/home")) == []


@pytest.mark.parametrize("script", [*SCRIPTS, "house.sh"])
def test_a_script_is_plain_bash(script: str):
    """The shell reads it, and where there is shellcheck, that finds nothing."""
    read = subprocess.run(["bash", "-n", HERE / script], capture_output=True, check=False)
    assert read.returncode == 0, read.stderr
    if checker := shutil.which("shellcheck"):
        found = subprocess.run(
            [checker, "-x", script], cwd=HERE, capture_output=True, text=True, check=False
        )
        assert found.stdout == ""


def must_be_there(*tools: str) -> None:
    """Skip without one."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
