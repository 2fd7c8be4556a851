"""What somebody tries who wants card numbers, one test for each kind of attempt: wrong purposes,
roles and tenants, a log that cannot be written, numbers in error bodies, fingerprints and tokens
that might be guessed, mailboxes written by strangers, secrets where processes show them.

Over a real 8027 and 8026; the log that cannot be written is in tests/actors/test_vault_door.py.
What was answered and what was left behind is looked through for numbers at the end.
"""

import hashlib
import hmac
import json
import socket
import stat
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from actors.cli.chaos.house import House
from payrail.domain.books import CARD_ACCESS_BOOK
from tests.auditor.audit import audit
from tests.auditor.pan import check_pans
from tests.auditor.report import Report
from tests.scenarios.living import files, lines, until
from tests.scenarios.shop import CARD, Answer, Shop

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(180)]

PAID, STRAY = "4242424242424242", "5555555555554444"
SPELLED = (STRAY, " ".join(["5555", "5555", "5555", "4444"]), "5555-5555-5555-4444")
WITH_CARDS = ("vault", "provider-a", "provider-b")


class Heard(Shop):
    """A shop that keeps every answer in a file, head and body."""

    def send(self, *words: Any, **named: Any) -> Answer:
        answer = super().send(*words, **named)
        with self.told.open("ab") as file:
            file.write(json.dumps(answer.headers).encode() + answer.bytes + b"\n")
        return answer

    @property
    def told(self) -> Path:
        return self.house.folder / "told.txt"

    def asked(self, path: str, body: Any, role: str = "admin") -> Answer:
        """One POST to the vault."""
        return self.post(path, body, role=role, url=self.house.vault)


@pytest.fixture(scope="module")
def shop(house: House) -> Heard:
    return Heard(house)


@pytest.fixture(scope="module")
def other(house: House) -> Heard:
    return Heard(house, "m_002")


@pytest.fixture(scope="module")
def token(shop: Heard) -> str:
    return shop.tokenize(PAID)


def log(house: House) -> list[dict[str, Any]]:
    return lines(house.home / CARD_ACCESS_BOOK)


#: what is sent beside the token, with whose key: status, code, and what the log says
LOOKS: dict[str, tuple[dict[str, str], str, int, str, str]] = {
    "no purpose": ({}, "admin", 422, "validation-error", "purpose_missing"),
    "an empty purpose": ({"purpose": ""}, "admin", 422, "validation-error", "purpose_missing"),
    "no word of ours": (
        {"purpose": "curiosity"},
        *("admin", 422, "validation-error", "purpose_unknown"),
    ),
    "a number for a purpose": (
        {"purpose": STRAY},
        *("admin", 422, "validation-error", "purpose_unknown"),
    ),
    "to charge": ({"purpose": "charge.authorize"}, "admin", 403, "forbidden", "purpose_refused"),
    "to rotate": ({"purpose": "key.rotation"}, "admin", 403, "forbidden", "purpose_refused"),
    **{
        f"a {role}'s key": ({"purpose": "support.last4"}, role, 403, "forbidden", "role_refused")
        for role in ("viewer", "approver", "publishable")
    },
}


@pytest.mark.parametrize("what", LOOKS)
def test_a_look_without_a_right_is_refused_and_written_down(
    house: House, shop: Heard, token: str, what: str
):
    """Wrong purpose or role: no digit of the card, and one line that says who and why not."""
    more, role, status, code, why = LOOKS[what]
    before = len(log(house))
    answer = shop.asked("/detokenize", {"token": token, **more}, role)

    assert (answer.status, answer.body["code"]) == (status, code)
    assert "4242" not in answer.bytes.decode().replace(token, "")
    (line,) = log(house)[before:]
    assert (line["outcome"], line["token"]) == (f"refused:{why}", token)
    assert line["who"] == f"usr_m001_{role}"
    assert line["correlation_id"] == answer.headers["X-Correlation-Id"]


def test_another_tenants_token_is_a_token_that_never_was(
    house: House, shop: Heard, other: Heard, token: str
):
    """Same status, same words, one line each; and no charge by the wrong merchant."""
    never = "tok_" + "0" * 32
    told = []
    for one in (token, never):
        look = other.asked("/detokenize", {"token": one, "purpose": "support.last4"})
        shown = other.send("GET", f"/tokens/{one}", None, {}, url=f"{house.vault}/tokens/{one}")
        paid = other.create(one, confirm=True)
        seen = other.get(f"/audit/vault?token={one}")
        assert (look.status, shown.status, paid.status, seen.body["data"]) == (422, 404, 422, [])
        told.append([_words(answer) for answer in (look, shown, paid)])
    assert told[0] == told[1]

    tries = [line for line in log(house) if line["who"] == "usr_m002_admin"]
    assert Counter(line["token"] for line in tries) == {token: 2, never: 2}
    assert {line["outcome"] for line in tries} == {"refused:unknown_token"}
    mine = shop.get(f"/audit/vault?token={token}").body["data"]
    assert {line["who"] for line in mine} >= {"another merchant"}
    assert "usr_m002" not in json.dumps(mine)


def _words(answer: Answer) -> dict[str, Any]:
    return {name: text for name, text in answer.body.items() if name != "correlation_id"}


def test_who_may_not_know_who_looked_is_not_told(shop: Heard):
    """The access log over HTTP is for admins and auditors."""
    for role in ("operator", "approver", "viewer", "publishable"):
        assert shop.get("/audit/vault", role).status == 403, role
    assert shop.get("/audit/vault", "auditor").status == 200


def test_no_digit_comes_back_out_of_what_was_refused(shop: Heard, token: str):
    """Numbers in every field of every door: no answer repeats one, plain, spaced or dashed."""
    for number in SPELLED:
        card = {"number": number, **CARD}
        for body in (
            {**card, "exp_month": 13},
            {**card, "cvc": number},
            {**card, "exp_year": number},
            {**card, number: number},
            {**card, "number": f"{number[:-1]}5"},
            {"number": [number]},
            [number],
        ):
            assert shop.asked("/tokenize", body).status in (400, 422), body
        for look in ({"token": number, "purpose": number}, {"token": number}, {number: number}):
            assert shop.asked("/detokenize", look).status == 422
        for order in ({"payment_method": number}, {"metadata": {"n": number}}, {number: 1}):
            body = {"amount": 1, "currency": "USD", "payment_method": token, **order}
            assert shop.post("/payment-intents", body).status == 422
        path = number.replace(" ", "%20")
        for route in (f"/payment-intents/{path}", f"/{path}", f"/audit/vault?token={path}"):
            assert shop.get(route).status in (404, 422)
    answers = shop.told.read_bytes()
    assert len(answers) > 10_000
    for number in SPELLED:
        assert number.encode() not in answers


def test_a_fingerprint_cannot_be_computed_from_a_number(house: House, shop: Heard, other: Heard):
    """A plain hash of a number is guessed in minutes: none of them, under no key that lies about,
    is a fingerprint; and one card has another at each merchant."""
    card = {"number": PAID, **CARD}
    found = [
        str(one.asked("/tokenize", card, "publishable").body["fingerprint"]).removeprefix("fp_")
        for one in (shop, shop, other)
    ]
    assert found[0] == found[1] != found[2]
    texts = [text.encode() for text in (PAID, f"m_001|{PAID}", f"m_001{PAID}", f"m_001:{PAID}")]
    hashes = [
        algorithm(text).hexdigest()
        for text in texts
        for algorithm in (hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512)
    ]
    lying_about = (house.home / "data/secrets/house").read_bytes().strip()
    for secret in (b"", b"payrail", lying_about):
        hashes += [hmac.new(secret, text, hashlib.sha256).hexdigest() for text in texts]
    assert not [one for one in hashes if found[0][:8] in one]
    key = house.home / "data/secrets/vault/fingerprint"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_tokens_say_nothing_and_follow_nothing(house: House, shop: Heard):
    """128 random bits each: no two alike in a half, none next to another, none in order."""
    tokens = [shop.tokenize(PAID) for _ in range(40)]
    numbers = [int(token.removeprefix("tok_"), 16) for token in tokens]

    assert all(len(token) == len("tok_") + 32 for token in tokens)
    assert len({token[:20] for token in tokens}) == len({token[-16:] for token in tokens}) == 40
    steps = [abs(b - a) for a, b in pairwise(numbers)]
    assert min(steps) > 2**64
    ones = sum(number.bit_count() for number in numbers) / (128 * 40)
    assert 0.45 < ones < 0.55
    near = f"tok_{numbers[0] + 1:032x}"
    look = shop.asked("/detokenize", {"token": near, "purpose": "support.last4"})
    assert (look.status, look.body["code"]) == (422, "unknown-token")


def test_a_strangers_line_moves_no_card(house: House, shop: Heard, token: str):
    """An order to charge, put into the vault's mailbox by hand or by nobody we know: the one is a
    dead letter, the other is never read; no card leaves, and no line says that one did."""
    order = {
        "token": token,
        "merchant_id": "m_001",
        "payment_id": "pi_strange",
        "reference": "pi_strange.1",
        "provider": "providerA",
        "amount": 99_900,
        "currency": "USD",
    }
    by_hand = {"kind": "card.charge", "body": order}
    with (house.home / "mailboxes/vault/hand.jsonl").open("ab") as file:
        file.write(json.dumps(by_hand).encode() + b"\n")
    (house.home / "mailboxes/vault/mallory.jsonl").write_bytes(_forged(order) + b"\n")
    dead = until(lambda: lines(house.home / "mailboxes/dlq/vault.jsonl"), "a dead letter")

    assert dead[-1]["why"] in ("sender", "unknown_kind", "schema")
    assert shop.create(token, confirm=True).body["state"] == "authorized"  # it works on meanwhile
    assert "pi_strange" not in (house.home / CARD_ACCESS_BOOK).read_text()
    for provider in ("provider-a", "provider-b"):
        spool = house.home / f"mailboxes/{provider}/vault.jsonl"
        assert not spool.exists() or b"pi_strange" not in spool.read_bytes()
    (house.home / "mailboxes/vault/mallory.jsonl").unlink()


def _forged(body: dict[str, Any]) -> bytes:
    """A whole line, sealed as ours are, by a sender that the vault does not listen to."""
    envelope = {
        "id": "mallory>vault:1",
        "from": "gateway",
        "to": "vault",
        "n": 1,
        "epoch": 1,
        "step": 1,
        "chain": "0" * 64,
        "kind": "card.charge",
        "v": 1,
        "key": None,
        "correlation_id": "cor_1",
        "causation_id": None,
        "reply_to": None,
        "sent_at": "2026-02-09T12:00:00.000Z",
        "deadline": None,
        "body": body,
    }
    text = json.dumps(envelope, separators=(",", ":")).encode()[:-1]
    return b'%b,"hash":"%b"}' % (text, hashlib.sha256(text).hexdigest().encode())


def test_the_vault_is_reached_from_this_machine_alone_and_inside_by_its_secret(
    house: House, shop: Heard, token: str
):
    """It listens on loopback; no key of people opens what hands out sealed cards or turns keys."""
    for address in _own_addresses():
        with socket.socket() as tried:
            tried.settimeout(2)
            assert tried.connect_ex((address, house.ports["VAULT"])) != 0, address
    charge = {"token": token, "provider": "providerA", "payment_id": "p", "operation_id": "o"}
    charge["purpose"] = "charge.authorize"
    for role in shop.keys:
        assert shop.asked("/charge-token", charge, role).status == 401
        assert shop.asked("/rotate-keys", {}, role).status in (401, 403)


def _own_addresses() -> Iterator[str]:
    """This machine's addresses that are not loopback."""
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    except OSError:
        return
    yield from {str(one[4][0]) for one in found if not str(one[4][0]).startswith("127.")}


def test_no_process_shows_a_secret_and_none_with_cards_leaves_a_core(house: House):
    """Arguments of processes are for everybody to read; cores hold what memory held."""
    secrets = [
        path.read_bytes().strip()
        for path in files(house.home / "data/secrets")
        if path.stat().st_size > 16 and b"{" not in path.read_bytes()
    ]
    secrets += [
        line["key"].encode()
        for line in json.loads((house.home / "data/vault/keys.json").read_bytes())["keys"]
    ]
    assert len(secrets) > 3
    for row in house.rows():
        if not row["pid"]:
            continue
        proc = Path(f"/proc/{row['pid']}")
        shown = (proc / "cmdline").read_bytes() + (proc / "comm").read_bytes()
        assert not [one for one in secrets if one in shown], row["name"]
        if row["name"] in WITH_CARDS:
            (limit,) = [
                line.split()[-3:-1]
                for line in (proc / "limits").read_text().splitlines()
                if line.startswith("Max core file size")
            ]
            assert limit == ["0", "0"], row["name"]
            assert int((proc / "coredump_filter").read_text(), 16) == 0, row["name"]
    for path in files(house.home / "data/secrets"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_what_all_of_it_left_behind_is_whole_and_holds_no_number(house: House, shop: Heard):
    """Every file and every answer after all of the above: no number in any spelling, one earlier
    line for each card that left, and the chain of the log whole."""
    dead, told = _dead(house), [shop.told, house.log]
    found = audit(house.home, pans=[PAID, STRAY], extra=told, known_dead=dead)
    assert found.is_clean, found.table()
    assert found.looked_at["cards"] > 0
    history = json.loads(house.cli("vault", "audit", "--json").stdout)
    assert history["chain"] == "ok"
    kinds = {one["kind"] for one in history["anomalies"]}
    assert "off_purpose" in kinds  # what somebody tried above did not go unseen
    seen = Report()
    shop.told.write_bytes(shop.told.read_bytes() + STRAY.encode())
    check_pans(house.home, [STRAY], [shop.told], seen)
    assert len(seen.findings) == 1  # the search is not blind


def _dead(house: House) -> list[str]:
    return [str(one["id"]) for one in lines(house.home / "mailboxes/dlq/vault.jsonl")]
