"""What `payrail simulate` says to people: its last word, what it refuses, and how it is ended."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from actors.cli import schedules
from actors.cli.exits import INTERRUPTED, NO_SUCH, USAGE, Stop
from actors.cli.main import app
from actors.simulation import campaign
from actors.simulation.judged import checked
from actors.simulation.workers import WorkerDied, Workers

#: Two processes that play for ever, and tell that they have begun; then who began them waits.
_HOUSE_OF_WORKERS = """
from tests.scenarios.test_simulate_verb import play_for_ever
from actors.simulation.workers import Workers

if __name__ == "__main__":
    with Workers(2, "{method}") as workers:
        for _ in workers.each(play_for_ever, [1, 2]):
            pass
"""


def play_for_ever(number: int) -> None:
    os.write(1, b"begun\n")
    while True:
        number += 1


def die(number: int) -> None:
    os._exit(number)


def refused(*words: str) -> tuple[int, str]:
    """Code of a refusal, and what it says."""
    error = CliRunner().invoke(app, ["simulate", *words]).exception
    assert isinstance(error, Stop)
    return error.code, f"{error} {error.remedy}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--flow refunds", "--flow goes with --crash-points"),
        ("--pairs 5", "--pairs goes with --crash-points"),
        ("--pairs 0 --seed 1", "--pairs goes with --crash-points"),
        ("--without 99", "--without goes with --seed N and no --runs"),
        ("--seed 1 --runs 5 --without 2", "--without goes with --seed N and no --runs"),
        ("--runs 5 --crash-points", "--crash-points does not go with --runs"),
        ("--crash-points --seed 3", "say --pairs N too"),
        ("--case edges/the-first-epoch/1/after-all --runs 5", "--case goes alone"),
        ("--seed 7 --without 99", "the schedule of seed 7 has parts 1.."),
        ("--seed 7 --without ,", "--without takes numbers"),
        ("", "there is nothing to simulate"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(words: str, said: str):
    """Nothing is played that was not asked for, and the refusal says what goes together."""
    code, what = refused(*words.split())

    assert code == USAGE
    assert said in what


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("nonsense", "there is no flow 'nonsense'; a case is FLOW/SCENE/N/WAY"),
        ("", "there is no flow ''"),
        ("///", "there is no flow ''"),
        ("edges/nonsense", "there is no scene 'nonsense' in edges"),
        ("edges/the-first-epoch/x/before-one", "has no effect 'x'"),
        ("edges/the-first-epoch/-1/before-one", "with N from 1 to"),
        ("edges/the-first-epoch/1/after-all+0/error", "the effect a number from 1"),
    ],
)
def test_a_case_that_is_none_is_told_in_which_part(case: str, said: str):
    """Only what was written wrong is named, with the form of a case and where cases are listed."""
    code, what = refused("--case", case)

    assert code == NO_SUCH
    assert said in what
    assert "--case FLOW/SCENE" in what
    assert len(what) < 600


def test_the_beginning_of_a_case_lists_what_begins_so():
    """A flow has scenes, a scene has effects, an effect has ways: each line can be typed again."""
    scenes = CliRunner().invoke(app, ["simulate", "--case", "edges"])
    effects = CliRunner().invoke(app, ["simulate", "--json", "--case", "edges/the-first-epoch"])

    assert "edges/the-first-epoch" in scenes.output.splitlines()
    first = json.loads(effects.output)["effects"][0]
    assert first["n"] == 1
    assert "before-one" in first["ways"]


def test_the_last_line_says_what_it_comes_to():
    """A table is followed by a sentence; the object of --json stays one object."""
    words = ["simulate", "--seed", "3"]

    said = CliRunner().invoke(app, words).stdout.splitlines()[-1]

    assert said == f"1 of 1 schedules held; {len(checked())} invariants"
    assert json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)["interrupted"] is False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_a_campaign_is_told_what_was_played(monkeypatch, number: signal.Signals):
    """By Ctrl-C and by SIGTERM: the table so far, how many held, and no process is left."""
    played: list[object] = []

    def step(result: object) -> None:
        played.append(result)
        if len(played) == 2:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(schedules, "_stepping", lambda _step: step)

    done = CliRunner().invoke(app, ["simulate", "--runs", "100000", "--jobs", "2"])

    assert done.exit_code == INTERRUPTED
    assert done.stdout.splitlines()[-1] == "interrupted: 2 of 2 held"
    assert multiprocessing.active_children() == []


def test_who_ends_crash_points_is_told_what_was_played():
    """The table has what was played by then; nobody waits for what is queued."""
    words = ["simulate", "--crash-points", "--flow", "edges", "--jobs", "1"]
    done = subprocess.Popen(
        [sys.executable, "-c", _ENDS_ITSELF, *words], stdout=subprocess.PIPE, text=True
    )
    said, _ = done.communicate(timeout=300)

    held = int(said.splitlines()[-1].split()[1])
    assert done.returncode == INTERRUPTED
    assert said.splitlines()[-1] == f"interrupted: {held} of {held} held"
    assert held > 0


#: The verb, ended by Ctrl-C once it has heard of the first cases.
_ENDS_ITSELF = """
import os, signal
from actors.cli import crash_points, main
from actors.simulation.points import Tally

def add(tally, other):
    kept(tally, other)
    Tally.add = kept
    os.kill(os.getpid(), signal.SIGINT)

if __name__ == "__main__":
    kept, Tally.add = Tally.add, add
    main.main()
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_processes_end_with_who_began_them(tmp_path, method: str, number: signal.Signals):
    """Also when that one cannot end them itself: all that held its output have ended."""
    script = tmp_path / "begin.py"
    script.write_text(_HOUSE_OF_WORKERS.format(method=method))
    path = os.pathsep.join(one for one in sys.path if one)
    environ = {**os.environ, "PYTHONPATH": path}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=environ
    ) as house:
        assert house.stdout is not None
        assert [house.stdout.readline() for _ in range(2)] == [b"begun\n"] * 2

        house.send_signal(number)

        assert house.stdout.read() == b""
        assert house.wait() == -number


def test_a_process_that_dies_is_an_error():
    """Nobody waits for what it played."""
    with Workers(2, "fork") as workers, pytest.raises(WorkerDied, match="ended with 3"):
        list(workers.each(die, [3, 3, 3]))


def test_a_campaign_tells_its_runs_in_their_order():
    """Whoever of the processes is done first."""
    seen: list[int] = []

    campaign.play(30, 10, jobs=2, done=lambda result: seen.append(result.seed))

    assert seen == list(range(30, 40))
