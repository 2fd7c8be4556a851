"""The inner door at 8028 and providers' webhooks, in a house of real processes."""

import json
import os
import signal
from typing import Any

import pytest
from openapi_spec_validator import validate

from actors.cli.chaos.house import House
from tests.scenarios.living import journal, lines, logged, until
from tests.scenarios.shop import Answer, Shop

pytestmark = pytest.mark.scenario


class Door:
    """8028, for whoever knows the internal secret."""

    def __init__(self, house: House, shop: Shop) -> None:
        self._shop = shop
        self.url = f"http://127.0.0.1:{house.ports['PROVIDER']}"
        self.secret = (house.home / "data/secrets/internal").read_text().strip()
        self._vault = house.vault

    def send(self, method: str, path: str, body: Any = None, secret: str | None = None) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        head = {"Authorization": f"Bearer {self.secret if secret is None else secret}"}
        return self._shop.send(method, path, data, head, url=self.url)

    def post(self, path: str, body: Any) -> Answer:
        return self.send("POST", f"/providers/{path}", body)

    def get(self, path: str) -> Answer:
        return self.send("GET", f"/providers/{path}")

    def sealed(self, token: str, provider: str, reference: str) -> str:
        """The card, sealed by the vault for this provider and this reference."""
        order = {
            "token": token,
            "provider": provider,
            "payment_id": reference.partition(".")[0],
            "operation_id": reference,
            "purpose": "charge.authorize",
        }
        head = {"Authorization": f"Bearer {self.secret}"}
        data = json.dumps(order).encode()
        answer = self._shop.send("POST", "/charge-token", data, head, url=self._vault)
        return str(answer.body["sealed"])

    def charge(self, provider: str, reference: str, card: str = "4242424242424242") -> Answer:
        sealed = self.sealed(self._shop.tokenize(card), provider, reference)
        order = {"reference": reference, "amount": 1099, "currency": "USD", "sealed": sealed}
        return self.post(f"{provider}/authorize", order)


@pytest.fixture(scope="module")
def door(house: House, shop: Shop) -> Door:
    return Door(house, shop)


def row(house: House, actor: str) -> dict[str, Any]:
    """The actor's row of `ps`; empty while there is none."""
    return house.row(actor) or {}


def notices(house: House, actor: str) -> list[str]:
    """Ids of the notices that a provider owed, or that the gateway has heard of."""
    if actor == "gateway":
        kinds = ("provider.notice", "dispute.notice")
        steps = [s for s in journal(house.home, actor) if s["in"]["kind"] in kinds]
        return [str(step["in"]["line"]["body"]["notice_id"]) for step in steps]
    events = [event for step in journal(house.home, actor) for event in step["events"]]
    return [str(e["notice"]["id"]) for e in events if e["type"] == "notice.owed"]


def parked(house: House) -> list[str]:
    """References of the notices that the gateway parked."""
    events = [event for step in journal(house.home, "gateway") for event in step["events"]]
    return [str(e["notice"]["reference"]) for e in events if e["type"] == "notice_parked"]


@pytest.mark.parametrize("provider", ["providerA", "provider-b"])
def test_a_sealed_card_is_charged_once_over_the_inner_door(house: House, door: Door, provider: str):
    """By reference: twice is once, another amount is refused; and no payment is made of it."""
    name = {"providerA": "providerA", "provider-b": "providerB"}[provider]
    reference = f"pi_of_{name}.1"
    sealed = door.sealed(door._shop.tokenize(), name, reference)
    order = {"reference": reference, "amount": 1099, "currency": "USD", "sealed": sealed}
    first, again = (door.post(f"{provider}/authorize", order) for _ in range(2))
    assert (first.status, first.bytes) == (200, again.bytes)
    other = door.post(f"{provider}/authorize", {**order, "amount": 1100})
    assert (other.status, other.body["diff"]) == (
        422,
        [{"field": "amount", "first": 1099, "now": 1100}],
    )
    claim = {"reference": f"pi_of_{name}.2", "authorization": reference, "amount": 1000}
    assert door.post(f"{provider}/capture", claim).status == 200
    back = {"reference": f"pi_of_{name}.3", "capture": claim["reference"], "amount": 400}
    assert door.post(f"{provider}/refund", back).status == 200

    truth = lines(house.home / f"data/providers/{name}_truth.jsonl")
    about = [t["operation"] for t in truth if t["reference"].startswith(f"pi_of_{name}")]
    assert about == ["authorize", "capture", "refund"]
    until(lambda: len([r for r in parked(house) if name in r]) == 3, "three parked notices")
    shown = door.get(f"{provider}/status?reference={reference}").body
    assert (shown["status"], shown["captured"], shown["refunded"]) == ("approved", 1000, 400)
    assert door._shop.get(f"/payment-intents/{reference[:-2]}").status == 404


def test_each_provider_declines_in_its_own_manners(door: Door):
    """402 with an error at A, 200 with a result code at B."""
    a = door.charge("providerA", "pi_no.1", "4000000000009995")
    b = door.charge("providerB", "pi_no.2", "4000000000009995")
    assert (a.status, a.body["error"]["decline_code"]) == (402, "insufficient_funds")
    assert a.headers["Content-Type"].startswith("application/problem+json")
    assert (b.status, b.body["resultCode"], b.body["refusalReason"]) == (
        200,
        "Refused",
        "Not enough balance",
    )


def test_faults_disputes_and_looks(door: Door):
    """What CONTRACT lists beside the calls."""
    door.charge("providerA", "pi_look.1")
    claim = {"reference": "pi_look.2", "authorization": "pi_look.1", "amount": 1099}
    door.post("providerA/capture", claim)
    rule = {"operation": "reverse", "do": "down", "count": 3}
    assert door.post("providerA/inject-failure", rule).status == 201
    (row,) = door.get("provider-a/faults").body["data"]
    assert (row["rule"]["do"], row["uses_left"]) == ("down", 3)
    assert door.send("DELETE", "/providers/providerA/faults").body == {"cleared": 1}
    assert door.get("providerA/faults").body["data"] == []

    opening = {"reference": "dp-1", "authorization": "pi_look.1", "amount": 500}
    opened = door.post("providerA/disputes", opening)
    assert (opened.status, opened.body["state"], opened.body["amount"]) == (201, "opened", 500)
    ruled = door.post("providerA/disputes/dp-1/resolve", {"outcome": "lost"})
    assert (ruled.status, ruled.body["state"]) == (200, "lost")
    assert door.get("providerA/state").body["disputes"] == 1
    assert door.get("providerA/settlement?date=2001-01-01").status == 404
    assert door.get("providerA/settlement?date=tomorrow").status == 422
    assert door.get("providerA/status?reference=pi_nobody.1").status == 404
    assert door.get("providerZ/state").status == 404


def test_a_batch_is_paid_out_and_its_file_is_had_as_it_lies_there(house: House, door: Door):
    """After a settlement on demand: state, payouts, truth, and CSV byte for byte."""
    charge = door.charge("providerA", "pi_paid.1")
    claim = {"reference": "pi_paid.2", "authorization": "pi_paid.1", "amount": 1099}
    captured = door.post("providerA/capture", claim)
    assert (captured.body["id"], captured.body["captured"]) == (charge.body["id"], True)
    assert door._shop.post("/settlements", {}).status in (200, 202)
    state = until(
        lambda: (s := door.get("providerA/state").body)["batches"] and s, "a closed batch"
    )
    assert (state["health"], state["breaker"]["state"]) == ("up", "CLOSED")

    truth = lines(house.home / "data/providers/providerA_truth.jsonl")
    paid = [line for line in truth if line["operation"] == "payout"]
    date = paid[0]["value_date"]
    (batch,) = door.get(f"providerA/settlement?date={date}").body["batches"]
    assert [(p["object"], p["amount"]) for p in batch["payouts"]] == [
        ("payout", line["amount"]) for line in paid
    ]
    assert claim["reference"] in {row["reference"] for row in batch["data"]}
    accept = {"Authorization": f"Bearer {door.secret}", "Accept": "text/csv"}
    path = f"/providers/providerA/settlement?date={date}"
    file = door._shop.send("GET", path, None, accept, url=door.url)
    assert file.headers["Content-Type"].startswith("text/csv")
    assert file.bytes == (house.home / batch["path"]).read_bytes()
    assert b",payout," in file.bytes


def test_the_inner_door_needs_the_secret_and_describes_itself(door: Door):
    """No key of a merchant opens it; its document names every path."""
    for method, path in (("POST", "providerA/authorize"), ("GET", "providerA/state")):
        assert door.send(method, f"/providers/{path}", secret="sk_test_x").status == 401
    document = door.send("GET", "/openapi.json", secret="").body
    validate(document)
    paths = {
        f"/providers/{{id}}/{name}"
        for name in (
            *("authorize", "capture", "refund", "reverse", "inject-failure", "state", "status"),
            *("settlement", "faults", "disputes", "disputes/{ref}/resolve"),
        )
    }
    assert paths | {"/health"} == set(document["paths"])
    assert {"get", "delete"} == set(document["paths"]["/providers/{id}/faults"])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("authorize", {"reference": "pi_x.1", "amount": 1, "currency": "USD"}, 422),
        ("authorize", {"reference": "4242424242424242", "amount": 1}, 422),
        ("capture", {"reference": "pi_x.2", "amount": 1}, 422),
        ("capture", {"reference": "pi_x.2", "amount": 1, "authorization": "pi_x.1"}, 404),
        ("refund", {"reference": "pi_x.3", "amount": 0, "authorization": "pi_x.1"}, 422),
        ("disputes", {"reference": "d", "authorization": "pi_x.1"}, 404),
    ],
)
def test_bad_input_is_refused_by_name(door: Door, path: str, body: Any, status: int):
    """A problem, with the fields, and no value."""
    answer = door.post(f"providerA/{path}", body)
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert b"4242424242424242" not in answer.bytes


def test_every_notice_comes_through_kills(house: House, shop: Shop):
    """Providers, gateway and front door die while notices are owed; each comes, under its id."""
    token = shop.tokenize()
    rule = '{"operation":"webhook","do":"late_webhook:1"}'
    assert house.cli("providers", "inject", "provider-a", rule).returncode == 0
    for _ in range(3):
        shop.create(token, confirm=True, capture_method="automatic")
    for actor in ("provider-a", "gateway", "frontdoor"):
        os.kill(int(row(house, actor)["pid"]), signal.SIGKILL)
    until(house._is_ready, "the house serves again", 30)
    house.cli("providers", "clear", "provider-a")
    owed = set(notices(house, "provider-a"))
    until(lambda: owed <= set(notices(house, "gateway")), "every notice has come", 30)
    assert len(owed) >= 6
    assert house.cli("verify").returncode == 0


def test_a_bad_file_of_drills_stops_its_provider_and_says_why(house: House, shop: Shop):
    """File, rule, field and remedy in its log; mended and released, it serves and drills."""
    path = house.home / "data/rules/faults.toml"
    made = path.read_text()
    assert made.startswith("# Drills")
    bad = '[[rules]]\nprovider = "providerA"\noperation = "authorize"\ndo = "explode"\n'
    path.write_text(made + bad)
    house.cli("restart", "provider-a")
    until(lambda: row(house, "provider-a").get("state") == "held", "the provider is held")
    told = json.dumps(logged(house.home, "supervisor")) + house.log.read_text()
    told += json.dumps(logged(house.home, "provider-a"))
    assert "data/rules/faults.toml: rule 1: do: must be one of down" in told
    assert "faults.toml: rule 1: do: must be one of down" in house.cli("doctor").stdout
    assert "`payrail release provider-a`" in house.cli("ps").stderr

    path.write_text(made + bad.replace("explode", "decline:do_not_honor") + "count = 1\n")
    assert house.cli("release", "provider-a").returncode == 0
    until(lambda: row(house, "provider-a").get("state") == "serving", "the provider serves")
    answer = shop.create(shop.tokenize(), confirm=True)
    assert (answer.status, answer.body["decline_code"]) == (402, "do_not_honor")
    assert shop.create(shop.tokenize(), confirm=True).status == 201
    assert listed(house) == []

    lasting = '[[rules]]\nprovider = "provider-a"\noperation = "reverse"\ndo = "down"\n'
    for text, expected in ((made + lasting, ["down"]), (made, [])):
        path.write_text(text)
        house.cli("restart", "provider-a")
        until(lambda do=expected: listed(house) == do, f"in force are {expected}")  # type: ignore[misc]


def listed(house: House) -> list[str]:
    """What `providers ls` says is drilled at the first provider."""
    rows = json.loads(house.cli("providers", "ls", "--json").stdout)
    return [rule["do"] for rule in next(r for r in rows if r["id"] == "providerA")["faults"]]
