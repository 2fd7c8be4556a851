"""No card number and no CVC outside of the vault's ciphertext, whatever people send and wherever.

Looked through: every file of the home, what house and verbs print, every answer over HTTP.
"""

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from actors.cli.chaos.house import House
from payrail.domain.synthetic import world
from payrail.domain.testcards import TEST_CARDS
from tests.auditor.pan import check_likely, check_pans
from tests.auditor.report import Report
from tests.scenarios.living import files, journal, lines, raw_request
from tests.scenarios.shop import Shop

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(400)]  # Dozens of verbs, one by one.
CVC, CVC_AMEX = "739", "7392"
MADE_UP = [card.number for card in world(seed=7, customers=1, cards=8).cards]
#: One that nobody pays with, for all places in which a number must not be.
STRAY = "4111111111111111"
PLAIN, SPACED, DASHED = STRAY, " ".join(["4111", *["1111"] * 3]), "-".join(["4111", *["1111"] * 3])
ESCAPED = "".join(f"\\u{ord(digit):04x}" for digit in STRAY)
PAGES = (
    *("/", "/payments", "/payments/new", "/refunds", "/disputes", "/providers", "/settlements"),
    *("/reconciliation", "/audit", "/webhooks", "/operations", "/slo", "/cases", "/keys", "/login"),
)
PANS = [*TEST_CARDS, *MADE_UP, STRAY]


class Client:
    """Sends bytes as they are, and keeps every answer in a file that is looked through later."""

    def __init__(self, house: House) -> None:
        self.house, self.shop = house, Shop(house)
        self.internal = (house.home / "data/secrets/internal").read_text().strip()
        self.told = house.folder / "told.txt"

    def send(self, door: str, method: str, path: str, body: str = "", **headers: str) -> Any:
        """The answer's JSON; a header given by a name with underscores beats the usual one."""
        key = self.internal if door == "PROVIDER" else self.shop.keys["admin"]
        head = {
            "Host": "x",
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"k-{self.told.stat().st_size if self.told.exists() else 0}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
            "Content-Length": str(len(body.encode())),
            "Connection": "close",
        }
        text = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{n}: {t}\r\n" for n, t in head.items())
        status, got, data = raw_request(self.house.ports[door], f"{text}\r\n{body}".encode())
        self.keep(f"{status} {got}\n{data.decode()}\n")
        assert status < 500, data
        return json.loads(data)

    def keep(self, text: str) -> None:
        with self.told.open("a") as file:
            file.write(text)

    def payrail(self, *words: str) -> None:
        ran = self.house.cli(*words)
        self.keep(ran.stdout + ran.stderr)


def card(number: str, **more: Any) -> str:
    cvc = CVC_AMEX if number.startswith(("34", "37")) else CVC
    return json.dumps({"number": number, "exp_month": 12, "exp_year": 2030, "cvc": cvc, **more})


@pytest.fixture(scope="module")
def told(house: House) -> Path:
    """What was answered and printed after everything that people might do was done."""
    client = Client(house)
    for number in [*TEST_CARDS, *MADE_UP]:
        _pay(client, number)
    _tokenize_badly(client)
    _put_it_everywhere(client)
    for words in (
        ("why", STRAY), ("ledger", "show", STRAY), ("ledger", "show", "--all"), ("verify",),
        ("tail", "vault", "-n", "500"), ("tail", "gateway", "-n", "500"), ("dlq", "show", STRAY),
        ("send", "gateway", "ping", json.dumps({"note": SPACED})), ("kill", STRAY),
        ("providers", "inject", "providerA", json.dumps({"do": STRAY, "operation": STRAY})),
    ):  # fmt: skip
        client.payrail(*words)
    client.payrail("vault", "audit")
    client.payrail("vault", "audit", "--json")
    _look_at_pages(client)
    return client.told


def _look_at_pages(client: Client) -> None:
    """What the console shows, as it comes, pages that are not there too."""
    listed = client.send("API", "GET", "/payment-intents?limit=1")
    about = f"/payments/{listed['data'][0]['id']}"
    for path in (*PAGES, about, f"/payments/{PLAIN}", f"/payments?q={PLAIN}"):
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        status, _, page = raw_request(client.house.ports["CONSOLE"], request.encode())
        client.keep(f"{status} {page.decode(errors='replace')}\n")


def _pay(client: Client, number: str) -> None:
    stored = client.send("VAULT", "POST", "/tokenize", card(number, name="A Customer"))
    if "token" not in stored:
        return
    order = {"amount": 1200, "currency": "USD", "payment_method": stored["token"], "confirm": True}
    client.send("API", "POST", "/payment-intents", json.dumps(order))
    look = {"token": stored["token"], "purpose": "support.last4"}
    client.send("VAULT", "POST", "/detokenize", json.dumps(look))


def _tokenize_badly(client: Client) -> None:
    for body in (
        card(f"{STRAY[:-1]}2"),  # its check digit is wrong
        card(STRAY, cvc="73"),
        card(STRAY, cvc=STRAY),
        card(STRAY, exp_month=13),
        card(STRAY, exp_year=int(STRAY)),
        card("1", pan=STRAY),
        card("1", **{STRAY: STRAY}),
        card(STRAY, name=["A", STRAY]),
        card(STRAY, track2=f"{STRAY}=3012{CVC}"),
        card(STRAY).replace(f'"{STRAY}"', STRAY),
        card(STRAY)[:-1],
        card(STRAY) + STRAY,
        STRAY,
        f"[{STRAY}]",
    ):
        client.send("VAULT", "POST", "/tokenize", body)
    client.send("VAULT", "POST", "/tokenize", card(STRAY), Content_Type="text/plain")
    client.send("VAULT", "POST", "/tokenize", card(STRAY), Authorization=f"Bearer {STRAY}")


def _put_it_everywhere(client: Client) -> None:
    token = client.send("VAULT", "POST", "/tokenize", card("4242424242424242"))["token"]
    order = {"amount": 1200, "currency": "USD", "payment_method": token}
    made = client.send("API", "POST", "/payment-intents", json.dumps(order))
    for number in (PLAIN, SPACED, DASHED, "ESCAPED"):
        for more in (
            {"metadata": {"note": f"card {number}"}},
            {"metadata": {number: "x"}},
            {"customer": {"name": number}},
            {"payment_method": number},
            {number: 1},
            {"amount": number},
        ):
            body = json.dumps({**order, **more}).replace("ESCAPED", ESCAPED)
            client.send("API", "POST", "/payment-intents", body)
    for name in ("Idempotency_Key", "X_Correlation_Id", "X_Merchant_Id", "User_Agent", "Cookie"):
        client.send("API", "POST", "/payment-intents", json.dumps(order), **{name: PLAIN})
    capture = json.dumps({"amount": int(PLAIN)})
    client.send("API", "POST", f"/payment-intents/{made['id']}/capture", capture)
    for path in (
        "/payment-intents/{}", "/ledger/{}", "/actors/{}/mailbox", "/providers/{}", "/{}",
        "/payment-intents?cursor={}", "/payment-intents?state={}", "/events?after={}",
    ):  # fmt: skip
        client.send("API", "GET", path.format(PLAIN))
        client.send("API", "GET", path.format(SPACED.replace(" ", "%20")))
    client.send("API", "POST", f"/actors/{PLAIN}/kill")
    for look in ({"token": PLAIN, "purpose": PLAIN}, {"token": SPACED, "purpose": "support.last4"}):
        client.send("VAULT", "POST", "/detokenize", json.dumps(look))
    client.send("VAULT", "GET", f"/tokens/{PLAIN}")
    charge = {"token": PLAIN, "provider": PLAIN, "payment_id": PLAIN, "operation_id": DASHED}
    inside = f"Bearer {client.internal}"
    client.send("VAULT", "POST", "/charge-token", json.dumps(charge), Authorization=inside)
    rule = {"operation": "authorize", "do": f"decline:{PLAIN}", "match": {"payment": PLAIN}}
    client.send("PROVIDER", "POST", "/providers/providerA/inject-failure", json.dumps(rule))
    client.send("PROVIDER", "POST", f"/providers/{PLAIN}/inject-failure", json.dumps(rule))


def test_no_card_number_is_in_any_file_answer_or_output(house: House, told: Path):
    """Plain, spaced, dashed, in hex, URL-encoded, packed and in base64 at each alignment; and no
    field for a CVC."""
    report = Report()

    check_pans(house.home, PANS, [told, house.log], report)
    check_likely(house.home, [told, house.log], report)

    assert [str(finding) for finding in report.findings] == []
    assert report.looked_at["card numbers"] > 40


def test_no_cvc_is_in_any_file_answer_or_output(house: House, told: Path):
    """Neither as a text nor under its name; the documents of an API may name the field."""
    sought = re.compile(rb'\\*"(?:%s|%s)\\*"' % (CVC.encode(), CVC_AMEX.encode()))

    for path in [*files(house.home), told, house.log]:
        assert not sought.search(path.read_bytes()), path


def test_the_scan_would_see_each_of_them(tmp_path: Path):
    """What is found nowhere above is found when it is there."""
    for name, text in {"a": PLAIN, "b": SPACED, "c": DASHED, "d": PLAIN.encode().hex()}.items():
        (tmp_path / name).write_text(f"x{text}y")
        report = Report()
        check_pans(tmp_path, [STRAY], [], report)
        assert len(report.findings) == 1
        (tmp_path / name).unlink()


def test_no_card_leaves_the_vault_before_its_line_in_the_access_log(house: House, told: Path):
    """Every charge in a mailbox and every approval at a provider has a line that says for what;
    line and charge are one step of the vault, so that neither can be without the other."""
    steps = journal(house.home, "vault")
    allowed: dict[str, dict[str, Any]] = {}
    for step in steps:
        logged = [post["line"] for post in step["books"] if post["book"] == "access"]
        for out in step["out"]:
            if out["kind"] == "charge":
                (line,) = [one for one in logged if one["purpose"] == "charge.authorize"]
                assert line["payment_id"] == out["body"]["payment_id"]
                assert (line["token"], line["outcome"]) == (out["body"]["token"], "allowed")
                allowed[out["body"]["reference"]] = line

    charges = lines(house.home / "mailboxes/provider-a/vault.jsonl")
    assert charges
    assert {charge["body"]["reference"] for charge in charges} == set(allowed)
    written = lines(house.home / "data/vault/access_log.jsonl")
    assert all(line in written for line in allowed.values())
    for real in lines(house.home / "data/providers/providerA_truth.jsonl"):
        if real["operation"] == "authorize":
            assert allowed[real["reference"]]["at"] <= real["at"]


def test_every_look_at_a_card_has_a_purpose_that_is_known(house: House, told: Path):
    """Also one that was refused, and one for which nonsense was given."""
    written = lines(house.home / "data/vault/access_log.jsonl")

    assert {line["purpose"] for line in written} >= {"tokenize", "charge.authorize"}
    assert all(line["purpose"] for line in written)


def test_secrets_and_the_vaults_keys_are_for_their_owner_alone(house: House):
    """0600, each of them, from the beginning."""
    secret = [*files(house.home / "data/secrets"), house.home / "data/vault/keys.json"]

    assert len(secret) > 5
    for path in secret:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
