"""Merchants, users and keys by command line: tables for people, JSON for scripts, no text twice."""

import json
import re
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario


def said(house: House, *words: str) -> Any:
    """What a verb prints as JSON."""
    done = house.cli(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_merchant_gets_its_first_key_by_command_line(house: House, shop: Shop) -> None:
    """Merchant, user, key: the key works; rotated, the old text is dead and the new one works;
    revoked, none does."""
    merchant = said(house, "merchants", "create", "Lighthouse Lamps", "--mcc", "5719")["id"]
    user = said(house, "users", "create", "Ada", "--merchant", merchant)["id"]
    key = said(house, "keys", "create", "--user", user, "--role", "viewer", "--rate-limit", "50")
    assert (key["merchant_id"], key["rate_limit_per_s"]) == (merchant, 50)

    def status(text: str) -> int:
        shop.keys["held"] = text
        return shop.get("/payment-intents", role="held").status

    assert status(key["key"]) == 200
    turned = said(house, "keys", "rotate", key["id"])
    assert (status(key["key"]), status(turned["key"])) == (401, 200)
    assert said(house, "keys", "revoke", key["id"])["state"] == "revoked"
    assert status(turned["key"]) == 401
    assert [m["name"] for m in said(house, "merchants", "ls")][-1] == "Lighthouse Lamps"
    assert [u["id"] for u in said(house, "users", "ls", "--merchant", merchant)] == [user]
    (listed,) = said(house, "keys", "ls", "--merchant", merchant)
    assert listed == shop_key(house, key["id"])
    assert said(house, "users", "deactivate", user)["state"] == "deactivated"


def shop_key(house: House, ident: str) -> Any:
    """The key as the API shows it to the house."""
    service = (house.home / "data/secrets/service").read_text().strip()
    held = Shop(house)
    held.keys["admin"] = service
    return held.get(f"/keys/{ident}").body


def test_tables_show_no_text_but_the_new_one(house: House) -> None:
    """`keys ls` has ids, users and roles; `create` has the text on stdout and says on stderr that
    it is shown once."""
    listed = house.cli("keys", "ls").stdout
    assert listed.splitlines()[0].split() == [
        *("ID", "MERCHANT_ID", "USER", "ROLE", "STATE", "VERSION", "RATE_LIMIT_PER_S")
    ]
    assert "usr_m001_admin" in listed
    assert not re.search(r"[sp]k_test_", listed)
    made = house.cli("keys", "create", "--user", "usr_m001_viewer", "--role", "publishable")
    assert re.search(r"\bpk_test_key_[a-z0-9]{16}_[0-9a-f]{32}$", made.stdout, re.MULTILINE)
    assert "this once" in made.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("keys", "revoke", "key_none"), 66),
        (("keys", "rotate", "../merchants"), 66),
        (("keys", "create", "--user", "usr_none", "--role", "viewer"), 64),
        (("keys", "create", "--user", "usr_m001_viewer", "--role", "king"), 64),
        (("merchants", "create", "Lamps", "--mcc", "x"), 64),
        (("users", "create", "Ada", "--merchant", "m_none"), 64),
    ],
)
def test_what_cannot_be_says_what_to_do(house: House, words: tuple[str, ...], code: int) -> None:
    """Exit code and field; nothing on stdout."""
    done = house.cli(*words)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert done.stderr.startswith("payrail: ")
