"""Same seed, same faults: the same calls at two houses, in two processes, with other hashes.

Rules with a probability, out of faults.toml, over generated cards. Nothing is left out of what is
compared but nothing of it is a time either: the simulated clock stands where the calls put it.
"""

import json
import os
import subprocess
import sys
from typing import Any

from actors.provider.core import Provider
from actors.provider.faultfile import read_faults
from actors.provider.seals import HpkeUnseal
from actors.simulation import orders
from actors.simulation.house import PROVIDERS, SimHouse
from payrail.domain.cards import luhn_digit
from payrail.runtime.actor import Actor

RULES = b"\n".join(
    b'[[rules]]\nprovider = "%b"\noperation = "%b"\ndo = "%b"\nprobability = %b\n' % row
    for row in (
        (b"providerA", b"authorize", b"down", b"0.2"),
        (b"providerA", b"authorize", b"approve_then_hang", b"0.1"),
        (b"providerA", b"*", b"decline:do_not_honor", b"0.1"),
        (b"providerA", b"webhook", b"duplicate_webhook", b"0.3"),
        (b"providerB", b"authorize", b"garbage", b"0.3"),
        (b"providerB", b"capture", b"wrong_amount", b"0.3"),
    )
)
PAYMENTS = 40


class FaultyHouse(SimHouse):
    """Both providers read the rules, and draw by a seed of their own."""

    seed = 42

    def core(self, name: str) -> Actor[Any]:
        if name not in PROVIDERS:
            return super().core(name)
        public = PROVIDERS[name]
        unseal = HpkeUnseal(self.provider_keys[name], public)
        faults = read_faults(RULES, name)
        return Provider(name, public, unseal=unseal, seed=self.seed, faults=faults)


def played(seed: int) -> dict[str, Any]:
    """A shop that pays with generated cards: both truths, and what the logs are told of faults."""
    house = FaultyHouse()
    house.seed = seed
    house.start()
    for number in range(PAYMENTS):
        digits = f"40001234567{number:04d}"
        token = house.tokenize(digits + luhn_digit(digits), f"card{number}")
        house.run()
        order = orders.create(token, f"k{number}", confirm=True, capture_method="automatic")
        house.put(order, f"q{number}")
        house.run()
        house.wait(6_000)
    noted = [
        [note.event, dict(note.fields), about]
        for name in PROVIDERS
        for note, about in house.drivers[name].loop.noted
    ]
    truths = {
        public: house.bytes_of(f"data/providers/{public}_truth.jsonl").decode()
        for public in PROVIDERS.values()
    }
    return {"truths": truths, "noted": noted}


def elsewhere(seed: int, hash_seed: str) -> dict[str, Any]:
    """The same in another process, with other hashes."""
    code = f"import json,tests.scenarios.test_same_faults as t;print(json.dumps(t.played({seed})))"
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_same_seed_makes_the_same_faults() -> None:
    """Truths and the log's lines are the same to the byte; faults of every kind were done."""
    first, second = elsewhere(42, "1"), elsewhere(42, "2")
    assert first == second
    done = {fields["do"] for _, fields, _ in first["noted"]}
    assert done == {
        "down",
        "approve_then_hang",
        "decline:do_not_honor",
        "duplicate_webhook",
        "garbage",
        "wrong_amount",
    }
    assert {fields["door"] for _, fields, _ in first["noted"]} == {"file"}


def test_another_seed_makes_others() -> None:
    """Other payments are touched."""
    touched = [{fields["reference"] for _, fields, _ in played(seed)["noted"]} for seed in (42, 43)]
    assert touched[0] != touched[1]
