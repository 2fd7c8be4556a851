"""The command line: exit codes and remedies without a house, and verbs against a running one."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from actors.cli.stories.cards import MERCHANT, good_card, order
from actors.cli.stories.houses import House, until
from actors.vault.keys import open_keys
from payrail.domain.cards import find_pans
from payrail.domain.testcards import TEST_CARDS
from payrail.runtime.clocks import SystemClock, SystemRng
from payrail.storage.fs import RealFs

SLOW_MODULES = ("aiohttp", "msgspec", "pydantic", "pydantic_settings", "structlog", "psutil")


def files_below(home: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("frobnicate",), 64, "No such command"),
        (("ps", "--colour"), 64, "No such option"),
        (("demo", "nothing"), 64, "There are: chargeback, duplicate"),
        (("up", "--only", "gateway,nobody"), 64, "There are: vault"),
        (("send", "gateway", "outcome", "{}"), 64, "By hand: "),
        (("send", "gateway", "ping", "{"), 64, "Quote it"),
        (("send", "gateway", "ping", '{"note":"a","note":"b"}'), 64, "twice"),
        (("send", "gateway", "ping", '{"other":1}'), 64, "Its fields: note"),
        (("send", "nobody", "ping", "{}"), 66, "There are: vault"),
        (("kill", "nobody"), 66, "There are: vault"),
        (("tail", "nobody"), 66, "There are: vault"),
        (("dlq", "show", "dl_none"), 66, "dlq ls"),
        (("dlq", "replay", "dl_none"), 66, "dlq ls"),
        (("providers", "inject", "providerZ", "{}"), 66, "There are: providerA"),
        (("providers", "inject", "providerA", "{}"), 69, "payrail up"),
        (("ps", "--check", "gateway"), 66, "no such actor"),
        (("ps", "--check", "supervisor"), 69, "payrail up"),
        (("kill", "gateway"), 69, "payrail up"),
        (("down",), 69, "payrail up"),
        (("seed",), 69, "payrail up"),
    ],
)
def test_a_refusal_has_its_code_and_says_what_to_do(payrail, words, code, told):
    """Each way to be wrong has its own exit code and a remedy on stderr; stdout stays empty."""
    seen, out, err = payrail(*words)
    assert seen == code, err
    assert told in err
    assert out == ""


def test_a_setting_that_cannot_be_used_is_78_and_is_not_repeated(payrail, monkeypatch):
    """The variable is named, and its value is not."""
    monkeypatch.setenv("PAYRAIL_API_PORT", "4242424242424242")
    code, _, err = payrail("ps")
    assert code == 78
    assert "PAYRAIL_API_PORT" in err
    assert "4242424242424242" not in err


@pytest.mark.parametrize("words", [(), ("ps",), ("dlq", "ls"), ("providers", "ls")])
def test_reading_verbs_need_no_house_and_write_nothing(payrail, tmp_path, words):
    """A verb that looks leaves no file behind, also where no house ever ran."""
    payrail(*(words or ("--help",)))
    assert files_below(tmp_path) == {}


def test_help_imports_nothing_that_is_slow():
    """`--help` and completion load the verbs and not what they work with."""
    code = f"import sys, actors.cli.main; print([m for m in {SLOW_MODULES} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_world_of_a_seed_is_the_same_and_shows_no_card_number(payrail):
    """`seed --dry-run --json` prints the same bytes for the same seed, with last four digits."""
    first = payrail("seed", "--seed", "7", "--payments", "30", "--dry-run", "--json")
    again = payrail("seed", "--seed", "7", "--payments", "30", "--dry-run", "--json")
    other = payrail("seed", "--seed", "8", "--payments", "30", "--dry-run", "--json")
    assert first == again
    assert first[1] != other[1]
    world = json.loads(first[1])
    assert len(world["payments"]) == 30
    assert not find_pans(first[1])


@pytest.mark.parametrize("words", [("--jsonl",), ("--dry-run", "--json", "--jsonl")])
def test_lines_of_a_seed_are_for_a_plan_and_no_object(payrail, words):
    """Whoever forgot `--dry-run` wanted to look: nothing is paid, and the remedy is named."""
    code, out, err = payrail("seed", *words)
    assert (code, out) == (64, "")
    assert "--dry-run --jsonl" in err


def test_demo_keys_are_the_same_each_time_and_apart_for_each_role(payrail):
    """Keys are derived: nothing but the house secret is kept, and no two are alike."""
    code, out, _ = payrail("keys", "demo", "--json")
    assert code == 0
    keys = json.loads(out)
    assert set(keys) == {"m_001", "m_002"}
    assert set(keys["m_001"]) == {
        "admin",
        "operator",
        "approver",
        "viewer",
        "auditor",
        "publishable",
    }
    texts = [key for own in keys.values() for key in own.values()]
    assert len(set(texts)) == 12
    assert json.loads(payrail("keys", "demo", "--json")[1]) == keys


def test_keys_of_a_folder_that_is_no_home_are_told_as_such(payrail):
    """They are the keys that its house will have; until then they open no door."""
    assert "no house was ever started in" in payrail("keys", "demo")[2]


@pytest.mark.parametrize(
    "words", [("payments", "ls"), ("merchants", "create", "x", "--mcc", "5942")]
)
def test_a_verb_in_a_folder_that_is_no_home_makes_nothing_there(payrail, tmp_path, words):
    """A key made there would be refused by the house that runs elsewhere, without a word why."""
    code, _, told = payrail(*words)
    assert code == 69
    assert "set PAYRAIL_HOME" in told
    assert not (tmp_path / "data").exists()


def test_the_doctor_finds_secrets_that_others_can_read(payrail, tmp_path):
    """A home in order is 0; secrets open to others are 78, with the command that mends them."""
    payrail("keys", "demo")
    assert payrail("doctor")[0] == 0
    (tmp_path / "data/secrets/house").chmod(0o644)
    code, out, _ = payrail("doctor")
    assert code == 78
    assert "chmod -R go=" in out


def test_the_doctor_finds_a_port_that_is_taken(payrail, env):
    """Whoever sits on a port of ours is found before the house is started."""
    import socket

    port = int(env["PAYRAIL_API_PORT"])
    with socket.create_server(("127.0.0.1", port)):
        code, out, _ = payrail("doctor", "--json")
    assert code == 78
    wrong = [row for row in json.loads(out) if row["verdict"] == "mend"]
    assert [row["what"] for row in wrong] == [f"port {port}"]


def test_the_doctor_tries_the_vault_key_and_writes_nothing(payrail, tmp_path, monkeypatch):
    """A home that has cards is asked whether they will open, before the vault is held for it."""
    fs = RealFs(str(tmp_path))
    open_keys(fs, SystemClock(), SystemRng())
    before = files_below(tmp_path)
    assert payrail("doctor")[0] == 0
    monkeypatch.setenv("PAYRAIL_VAULT_KEY", "ab" * 32)
    code, out, _ = payrail("doctor")
    assert code == 78
    assert "not the key this home began with" in out
    assert files_below(tmp_path) == before


@pytest.mark.parametrize("words", [("up",), ("demo", "--exit")])
def test_a_house_does_not_begin_where_a_port_is_taken(payrail, env, tmp_path, words):
    """78, the variable that helps, and not a file: no actor dies of it again and again."""
    import socket

    with socket.create_server(("127.0.0.1", int(env["PAYRAIL_VAULT_PORT"]))):
        code, _, err = payrail(*words)
    assert code == 78
    assert "Set PAYRAIL_VAULT_PORT to a free one." in err
    assert len(err.splitlines()) == 2
    assert files_below(tmp_path) == {}


def test_a_host_that_is_none_is_named_as_such(payrail, monkeypatch):
    """Another port would not help: the remedy is the variable that is wrong."""
    monkeypatch.setenv("PAYRAIL_HOST", "nowhere.invalid")
    code, _, err = payrail("up")
    assert code == 78
    assert "Set PAYRAIL_HOST" in err


def test_two_doors_with_one_number_are_refused(payrail, env, monkeypatch):
    """The doctor says so of both, and `up` of the first."""
    monkeypatch.setenv("PAYRAIL_VAULT_PORT", env["PAYRAIL_API_PORT"])
    wrong = [row for row in json.loads(payrail("doctor", "--json")[1]) if row["verdict"] == "mend"]
    assert len(wrong) == 2
    code, _, err = payrail("up")
    assert code == 78
    assert "PAYRAIL_VAULT_PORT has the same number" in err


def test_a_line_by_hand_ends_a_torn_one_first(payrail, tmp_path):
    """A torn line that somebody left is not joined with ours: ours is whole, on its own line."""
    path = tmp_path / "mailboxes/gateway/hand.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b'{"kind":"pi')
    assert payrail("send", "gateway", "ping", '{"note":"n"}')[0] == 0
    torn, whole, rest = path.read_bytes().split(b"\n")
    assert torn == b'{"kind":"pi'
    assert json.loads(whole) == {"kind": "ping", "body": {"note": "n"}}
    assert rest == b""


@pytest.mark.scenario
async def test_a_second_house_is_refused_and_down_ends_the_first(demo_house: House):
    """`up` on a held home exits 73 and names the holder; `down` returns when the house is gone."""
    before = {row["name"] for row in json.loads((await demo_house.payrail("ps", "--json"))[1])}
    assert {"gateway", "supervisor"} <= before
    code, told = await demo_house.payrail("up", "--demo", told=True)
    assert code == 73
    assert f"process {demo_house.row('supervisor')['pid']}" in told
    assert (await demo_house.payrail("ps", "--check", "provider-a"))[0] == 0
    assert (await demo_house.payrail("down"))[0] == 0
    assert (await demo_house.payrail("ps", "--check", "supervisor"))[0] == 69


@pytest.mark.scenario
async def test_people_steer_actors_and_cancel_payments_by_hand(demo_house: House):
    """A killed actor serves again, `send` is obeyed, `tail` shows it, and no card is in sight."""
    async with demo_house.shop() as shop:
        token = await shop.tokenize(MERCHANT, good_card())
        made = await shop.keep_posting("create", MERCHANT, "/payment-intents", order(token), "k-1")
    payment_id = made.body["id"]
    epoch = demo_house.row("gateway")["epoch"]
    assert (await demo_house.payrail("kill", "gateway"))[0] == 0
    assert await demo_house.serves_again("gateway", epoch)

    body = json.dumps({"id": payment_id})
    assert (await demo_house.payrail("send", "gateway", "payment.cancel", body))[0] == 0
    assert await until(lambda: _types(demo_house, payment_id)[-1] == "payment.reversed")

    _, shown = await demo_house.payrail("tail", "gateway", "-n", "50")
    assert payment_id in shown
    assert "payment.cancel" in shown
    assert not any(number in shown for number in TEST_CARDS)


@pytest.mark.scenario
async def test_a_line_that_is_no_message_is_listed_and_dropped(demo_house: House):
    """What people mistype becomes a dead letter; dropping it takes it off the list for good."""
    path = demo_house.home / "mailboxes/gateway/hand.jsonl"
    await asyncio.to_thread(path.write_text, '{"kind":"outcome","body":{}}\n')

    async def letters(*more: str) -> list[dict[str, str]]:
        return json.loads((await demo_house.payrail("dlq", "ls", "--json", *more))[1])

    assert await until(lambda: demo_house.lines("mailboxes/dlq/gateway.jsonl"))
    [letter] = await letters()
    assert (letter["actor"], letter["why"], letter["state"]) == ("gateway", "sender", "open")
    assert (await demo_house.payrail("dlq", "show", letter["id"]))[0] == 0
    assert (await demo_house.payrail("dlq", "drop", letter["id"]))[0] == 0
    assert await until(lambda: _closed(demo_house, letter["id"]))
    assert await letters() == []
    assert [one["state"] for one in await letters("--all")] == ["dropped"]


@pytest.mark.scenario
async def test_a_drill_is_in_force_when_inject_returns_and_over_when_clear_does(demo_house: House):
    """`providers ls` shows the rule of a drill; a rule that is none is 64 and says why."""
    rule = '{"operation":"authorize","do":"down"}'
    assert (await demo_house.payrail("providers", "inject", "provider-a", rule))[0] == 0
    [row] = json.loads((await demo_house.payrail("providers", "ls", "--json"))[1])[:1]
    assert [fault["do"] for fault in row["faults"]] == ["down"]
    code, told = await demo_house.payrail(
        "providers", "inject", "providerA", '{"do":"x"}', told=True
    )
    assert code == 64
    assert "operation" in told
    assert (await demo_house.payrail("providers", "clear", "providerA"))[0] == 0
    [row] = json.loads((await demo_house.payrail("providers", "ls", "--json"))[1])[:1]
    assert row["faults"] == []


def _types(house: House, payment_id: str) -> list[str]:
    lines = house.lines("data/ledger/payments.jsonl")
    return [line["type"] for line in lines if line["ref"] == payment_id]


def _closed(house: House, letter: str) -> bool:
    return any(
        line["in"]["about"] == letter for line in house.lines("data/actors/gateway/journal.jsonl")
    )
