"""What people append with `echo` reaches a living house; what is no message is kept as it came."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import journal, lines, until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario
HAND = "mailboxes/gateway/hand.jsonl"


def hand(house: House) -> Path:
    return house.home / HAND


def append(house: House, data: bytes) -> None:
    with hand(house).open("ab") as file:
        file.write(data)


def shell(house: House, command: str) -> None:
    subprocess.run(["bash", "-c", command], cwd=house.home, check=True)


def letters(house: House) -> list[dict[str, Any]]:
    return lines(house.home / "mailboxes/dlq/gateway.jsonl")


def taken_by_hand(house: House) -> list[dict[str, Any]]:
    """What the gateway journaled of hand lines, in order."""
    return [step["in"] for step in journal(house.home, "gateway") if step["in"]["from"] == "hand"]


def pings(house: House) -> int:
    return sum(taken["kind"] == "ping" for taken in taken_by_hand(house))


def payment(shop: Shop) -> str:
    return str(shop.create(shop.tokenize()).body["id"])


def is_canceled(shop: Shop, payment_id: str) -> bool:
    return bool(shop.get(f"/payment-intents/{payment_id}").body["state"] == "reversed")


def next_letter(house: House, known: int) -> dict[str, Any]:
    found = until(lambda: letters(house)[known:], "a dead letter")
    return found[0]


def test_an_echoed_cancel_is_obeyed_and_booked_as_said_by_hand(house: House, shop: Shop):
    """The line of the manual works as it stands, for any merchant's payment."""
    payment_id = payment(shop)

    line = json.dumps({"kind": "payment.cancel", "body": {"id": payment_id}}, separators=(",", ":"))
    shell(house, f"echo '{line}' >> {HAND}")

    until(lambda: is_canceled(shop, payment_id), "the payment is canceled")
    (entry,) = [e for e in lines(house.home / "data/ledger/payments.jsonl")
                if (e["ref"], e["type"]) == (payment_id, "payment.reversed")]  # fmt: skip
    assert entry["data"]["reversal_reason"] == "canceled"
    assert taken_by_hand(house)[-1]["kind"] == "payment.cancel"
    assert letters(house) == []


BAD = {
    "garbage": (b"hello, gateway", "unparseable"),
    "half a line": (b'{"kind":"payment.cancel","body":{"id":"pi_', "unparseable"),
    "no UTF-8": (b'{"kind":"ping","body":{"note":"\xff\xfe"}}', "unparseable"),
    "a zero byte": (b'{"kind":"ping","body":{"note":"\x00"}}', "unparseable"),
    "U+2028": ('{"kind":"ping","body":{"note":"a\u2028b"}}'.encode(), "unparseable"),
    "a key twice": (b'{"kind":"ping","kind":"ping","body":{}}', "unparseable"),
    "1e400": (b'{"kind":"ping","body":{"note":1e400}}', "unparseable"),
    "no object": (b'["payment.cancel"]', "schema"),
    "too deep": (b"[" * 5_000 + b"]" * 5_000, "unparseable"),
    "100 KB": (b'{"kind":"ping","body":{"note":"' + b"x" * 100_000 + b'"}}', "too_large"),
    "an unknown kind": (b'{"kind":"payment.burn","body":{}}', "unknown_kind"),
    "an unknown field": (b'{"kind":"ping","body":{"other":1}}', "schema"),
    "a wrong type": (b'{"kind":"payment.cancel","body":{"id":7}}', "schema"),
    "an outcome": (
        b'{"kind":"outcome","body":{"payment_id":"pi_1","reference":"pi_1.1","operation":'
        b'"authorize","result":"approved","code":"approved","provider":"providerA",'
        b'"provider_reference":"ch_1","amount":1,"currency":"USD"}}',
        "sender",
    ),
    "an approval": (b'{"kind":"payment.authorize","body":{"id":"pi_1"}}', "sender"),
    "another sender's name": (
        b'{"from":"provider-a","kind":"outcome","body":{"payment_id":"pi_1"}}',
        "schema",
    ),
}


@pytest.mark.parametrize(("line", "why"), BAD.values(), ids=BAD)
def test_a_bad_line_is_a_dead_letter_with_its_bytes(house: House, line: bytes, why: str):
    """It says why, its bytes are kept as they came, and the good line behind it is handled."""
    known, pinged = len(letters(house)), pings(house)

    append(house, line + b'\n{"kind":"ping","body":{}}\n')

    letter = next_letter(house, known)
    assert letter["why"] == why
    assert kept(house, letter) == line
    until(lambda: pings(house) == pinged + 1, "the good line is handled")
    assert len(letters(house)) == known + 1


def kept(house: House, letter: dict[str, Any]) -> bytes:
    """The original, as a file or inside of the letter; spelled as it was sent."""
    if letter["raw"]:
        return (house.home / str(letter["raw"])).read_bytes()
    book = (house.home / "mailboxes/dlq/gateway.jsonl").read_bytes()
    found = json.dumps(letter["message"], separators=(",", ":")).encode()
    assert found in book
    return found


def test_a_line_without_its_newline_waits_for_it(house: House, shop: Shop):
    """What is still being written is no line: nothing happens before its newline, all after it."""
    payment_id, known = payment(shop), len(letters(house))
    line = json.dumps({"kind": "payment.cancel", "body": {"id": payment_id}}).encode()

    append(house, line[:20])
    later = payment(shop)
    append(house, line[20:])
    assert shop.get(f"/payment-intents/{later}").body["state"] == "created"
    assert shop.get(f"/payment-intents/{payment_id}").body["state"] == "created"
    append(house, b"\n")

    until(lambda: is_canceled(shop, payment_id), "the payment is canceled")
    assert len(letters(house)) == known


def test_5_kb_by_echo_are_one_message(house: House):
    """A shell may write a long line in pieces; it is one line all the same."""
    pinged, known = pings(house), len(letters(house))

    shell(
        house,
        f"""note=$(head -c 5000 /dev/zero | tr '\\0' n)
echo '{{"kind":"ping","body":{{"note":"'"$note"'"}}}}' >> {HAND}""",
    )

    until(lambda: pings(house) == pinged + 1, "the ping is handled")
    assert len(letters(house)) == known


def test_an_editor_that_replaces_the_file_repeats_nothing_and_loses_nothing(
    house: House, shop: Shop
):
    """Old lines with a new one, under the same name: only the new one is handled."""
    payment_id = payment(shop)
    append(house, b'{"kind":"ping","body":{"note":"before"}}\n')
    pinged = until(lambda: pings(house), "a ping is handled")
    until(lambda: not hand(house).read_bytes().count(b"before") - 1, "it is there once")
    until(lambda: _rested(house), "all that is there is handled")
    pinged, known = pings(house), len(letters(house))
    cancel = json.dumps({"kind": "payment.cancel", "body": {"id": payment_id}}).encode()

    fresh = hand(house).with_suffix(".new")
    fresh.write_bytes(hand(house).read_bytes() + cancel + b"\n")
    os.replace(fresh, hand(house))

    until(lambda: is_canceled(shop, payment_id), "the payment is canceled")
    assert pings(house) == pinged
    assert len(letters(house)) == known


def test_a_new_file_under_the_same_name_is_read_from_its_beginning(house: House, shop: Shop):
    """Somebody moved the old one away: the new one's first line is not skipped."""
    payment_id = payment(shop)
    until(lambda: _rested(house), "all that is there is handled")
    pinged = pings(house)
    hand(house).rename(hand(house).with_suffix(".old"))

    append(house, json.dumps({"kind": "payment.cancel", "body": {"id": payment_id}}).encode())
    append(house, b"\n")

    until(lambda: is_canceled(shop, payment_id), "the payment is canceled")
    assert pings(house) == pinged


def _rested(house: House) -> bool:
    """Whether every line of hand.jsonl stands in the gateway's journal."""
    there = sum(bool(line.strip()) for line in hand(house).read_bytes().split(b"\n")[:-1])
    return len(taken_by_hand(house)) >= there


def test_dead_letters_are_listed_shown_replayed_and_dropped(house: House, shop: Shop):
    """`dlq` and `send` work on a living house; a letter that is closed twice stays closed."""
    payment_id, known = payment(shop), len(letters(house))
    append(house, b'{"kind":"outcome","body":{"a":1}}\nnot JSON\n')
    until(lambda: len(letters(house)) == known + 2, "two dead letters")
    sent, bytes_only = (letter["id"] for letter in letters(house)[known:])

    listed = json.loads(house.cli("dlq", "ls", "--json").stdout)
    assert {sent, bytes_only} <= {letter["id"] for letter in listed}
    shown = json.loads(house.cli("dlq", "show", bytes_only).stdout)
    assert (house.home / shown["raw"]).read_bytes() == b"not JSON"

    assert house.cli("dlq", "drop", bytes_only).returncode == 0
    assert house.cli("dlq", "replay", sent).returncode == 0
    assert house.cli("dlq", "drop", bytes_only).returncode == 0
    told = json.dumps({"id": payment_id})
    assert house.cli("send", "gateway", "payment.cancel", told).returncode == 0
    until(lambda: is_canceled(shop, payment_id), "the line behind them is handled")
    states = {one["id"]: one["state"] for one in json.loads(
        house.cli("dlq", "ls", "--all", "--json").stdout)}  # fmt: skip
    assert states[bytes_only] == "dropped"
    assert states[sent] == "open"  # Nobody may send an outcome, so a replay is not the way either.


def test_nothing_by_hand_has_hurt_the_house(house: House):
    """After all of it the gateway was never restarted, and `verify` finds the house whole."""
    row = house.row("gateway")
    assert row is not None
    assert row["restarts"] == 0
    verified = house.cli("verify")
    assert verified.returncode == 0, verified.stdout
