"""A house of real processes whose vault's keys are held by two operators."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import files, until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario

SETTINGS = {"PAYRAIL_PROVIDER_TIMEOUT": "1s"}
ADA, BO = "ada:the first engine of all", "bo:another long passphrase"
SECRET_WORDS = [one.partition(":")[2].encode() for one in (ADA, BO)]


def _payrail(house: House, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "actors.cli.main", *words],
        cwd=house.folder,
        env=house.env,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _unlock(house: House, one: str) -> Any:
    name = one.partition(":")[0]
    ran = _payrail(house, "vault", "unlock", "--operator", name, "--stdin", "--json", given=one)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def _state(house: House) -> str | None:
    row = house.row("vault")
    return row["state"] if row else None


def _until_it_is(house: House, state: str) -> None:
    until(lambda: _state(house) == state, f"a vault that is {state}", 60)


def _at(house: House, path: str) -> bytes:
    where = house.home / path
    return where.read_bytes() if where.exists() else b""


def _everything(house: House) -> list[tuple[Path, bytes]]:
    return [(path, path.read_bytes()) for path in files(house.home)]


def test_two_operators_hold_the_keys_of_a_house(house: House, shop: Shop):
    """Protected while it serves; sealed by a kill, with a charge on its way that ends honestly;
    unlocked by both in any order; sealed again by a new start; off puts the keys back."""
    token = shop.tokenize()
    own = _at(house, "data/secrets/vault/fingerprint")
    clear = [json.loads(_at(house, "data/vault/keys.json"))["keys"][0]["key"].encode(), own.strip()]

    ran = _payrail(house, "vault", "protect", "--stdin", given=f"{ADA}\n{BO}\n")
    assert (ran.returncode, ran.stdout) == (0, "the keys are held by ada and bo\n"), ran.stderr
    for path, data in _everything(house):
        assert not any(secret in data for secret in clear), path
    assert shop.create(token, confirm=True).body["state"] == "authorized"
    ran = _payrail(house, "vault", "rotate", "--wait")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[1].split() == ["k2", "k1", "0"]
    ran = _payrail(house, "vault", "protect", "--off", "--stdin", given=f"{ADA}\n")
    assert (ran.returncode, "ada and bo" in ran.stderr) == (64, True)
    lines = json.loads(_at(house, "data/vault/keys.json"))["keys"]
    assert [line["id"] for line in lines] == ["k2", "k1"]
    assert lines[0]["key"].startswith("wrapped1.")
    assert house.cli("verify").returncode == 0

    # Killed: sealed, and beats.
    pid = (house.row("vault") or {})["pid"]
    os.kill(pid, signal.SIGKILL)
    _until_it_is(house, "sealed")
    health = shop.send("GET", "/health", None, {}, url=house.vault + "/health")
    assert health.status == 503
    assert health.body["why"].startswith("waits for 2 operators: ada, bo")
    restarts = (house.row("vault") or {})["restarts"]
    doubtful = shop.create(token, confirm=True)
    assert doubtful.status == 202, doubtful.body

    # A wrong passphrase, then one operator twice, then both.
    wrong = "bo:not what bo has typed"
    ran = _payrail(house, "vault", "unlock", "--operator", "bo", "--stdin", given=wrong)
    assert (ran.returncode, "passphrase-wrong" in ran.stderr) == (1, True)
    for _ in range(2):
        found = _unlock(house, BO)
        assert (found["sealed"], found["missing"]) == (True, ["ada"])
    assert _unlock(house, ADA) == {"sealed": False, "missing": [], "operators": ["ada", "bo"]}
    assert _state(house) == "serving"
    assert (house.row("vault") or {})["restarts"] == restarts
    assert shop.create(token, confirm=True).body["state"] == "authorized"
    place = f"/payment-intents/{doubtful.body['id']}"
    what = "an end of the charge that met a sealed vault"
    until(lambda: shop.get(place).body["state"] in ("declined", "authorized"), what, 60)
    ended = shop.get(place).body
    truths = _at(house, "data/providers/providerA_truth.jsonl")
    truths += _at(house, "data/providers/providerB_truth.jsonl")
    charged = [
        line
        for line in map(json.loads, truths.splitlines())
        if line["reference"].startswith(ended["id"]) and line["outcome"] == "approved"
    ]
    assert len(charged) == (ended["state"] == "authorized")

    # A new start is sealed, too.
    house.stop()
    with ThreadPoolExecutor(1) as beside:
        ready = beside.submit(house.start)
        _until_it_is(house, "sealed")
        ran = _payrail(house, "vault", "unlock", "--stdin", given=f"{ADA}\n{BO}\n")
        assert (ran.returncode, ran.stdout) == (0, "open\n"), ran.stderr
        ready.result()
    assert shop.create(token, confirm=True).body["state"] == "authorized"
    for path, data in _everything(house):
        assert not any(word in data for word in SECRET_WORDS), path

    ran = _payrail(house, "vault", "protect", "--off", "--stdin", given=f"{ADA}\n{BO}\n")
    assert (ran.returncode, ran.stdout) == (0, "the keys rest in clear\n"), ran.stderr
    assert b"wrapped1." not in _at(house, "data/vault/keys.json")
    assert _at(house, "data/secrets/vault/fingerprint") == own
    assert house.cli("restart", "vault").returncode == 0
    until(lambda: (house.row("vault") or {})["restarts"] == 1, "a restart", 60)
    _until_it_is(house, "serving")
    assert house.cli("verify").returncode == 0
