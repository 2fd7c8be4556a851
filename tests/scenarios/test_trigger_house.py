"""`payrail trigger` and `payrail fixtures`: histories made to order, at one house for all."""

import json
from pathlib import Path

import pytest

from actors.cli.chaos.house import House
from actors.cli.fixtures.verb import made
from tests.auditor.audit import audit

pytestmark = pytest.mark.scenario

#: Stories of doubt wait for it.
SETTINGS = {"PAYRAIL_PROVIDER_TIMEOUT": "1s"}
STORY = """
about = "An order is paid, and half of it comes back."

[vars]
amount = 5000

[[steps]]
use = "payment.captured"
set = { amount = "${vars.amount}" }

[[steps]]
name = "refund"
post = "/refunds"
body = { payment_intent = "${payment.id}", amount = 2500, reason = "one of two" }
expect = { status = 201 }

[[steps]]
post = "/refunds/${refund.id}/approve"
user = "checker"
role = "approver"

[[steps]]
get = "/payment-intents/${payment.id}"
until = { amount_refunded = 2500 }
expect = { amount_captured = %d }
"""


@pytest.mark.parametrize("event", made())
def test_a_story_ends_in_the_event_that_was_asked_for(house: House, event: str):
    """The event is a real one: it stands in the outbox, with a whole history before it."""
    done = house.cli("trigger", event, "--json")

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)["event"]
    assert told["type"] == event
    outbox = (house.home / "data/outbox/events.jsonl").read_text()
    assert f'"id":"{told["id"]}"' in outbox


def test_a_story_of_ones_own_is_played(house: House, tmp_path: Path):
    """A file may use our stories, change their variables, and wait for what comes."""
    file = tmp_path / "half.toml"
    file.write_text(STORY % 5000)

    done = house.cli("fixtures", str(file), "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"][-1]["answer"] == "200 captured"


def test_a_story_that_comes_out_otherwise_fails_and_says_where(house: House, tmp_path: Path):
    """Exit 1, the step, and what was there in place of what was said."""
    file = tmp_path / "wrong.toml"
    file.write_text(STORY % 4999)

    done = house.cli("fixtures", str(file))

    assert done.returncode == 1
    assert "step 4" in done.stderr
    assert "amount_captured is 5000, not 4999" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("trigger", "payment.gone"), 66, "--list"),
        (("trigger", "provider.canary_rolled_back"), 66, "routing.toml"),
        (("trigger", "payment.captured", "--set", "colour=red"), 64, "amount"),
        (("trigger", "payment.captured", "--set", "amount=0"), 1, "amount"),
        (("trigger", "payment.captured", "--set", "card=1234"), 66, "4242"),
        (("fixtures",), 64, "--show"),
        (("fixtures", "no-such-file.toml"), 66, "no-such-file"),
    ],
)
def test_what_cannot_be_played_is_said(house: House, words: tuple[str, ...], code: int, told: str):
    """With what there is instead, and nothing else is done."""
    done = house.cli(*words)

    assert done.returncode == code
    assert told in done.stderr


def test_after_all_stories_the_books_hold(house: House):
    """Stories are payments like all others: `verify` and the auditor find nothing."""
    done = house.cli("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    house.stop()
    assert audit(house.home).findings == []
