"""Challenges in a real house: the shop's order, the cardholder's page without a key, the books."""

import http.client
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from actors.cli.chaos.house import House
from tests.auditor.audit import audit
from tests.scenarios.living import lines, until
from tests.scenarios.shop import Answer, Shop

pytestmark = pytest.mark.scenario

ALWAYS, UNLESS_SET_UP = "4000002760003184", "4000002500003155"
STEP_UP, THEN_DECLINED = "4000000000003220", "4000008400001629"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


class Browser:
    """A cardholder: no key, follows nothing by itself."""

    def __init__(self, house: House) -> None:
        self._place = urlsplit(house.api)

    def get(self, path: str, accept: str = "text/html") -> tuple[int, Any, str]:
        return self._send("GET", path, None, {"Accept": accept})

    def press(self, path: str, outcome: str) -> tuple[int, Any, str]:
        """Press a button of the page."""
        headers = {"Accept": "text/html", "Content-Type": FORM}
        return self._send("POST", path, urlencode({"outcome": outcome}), headers)

    def _send(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, Any, str]:
        host, port = self._place.hostname or "", self._place.port
        connection = http.client.HTTPConnection(host, port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def browser(house: House) -> Browser:
    return Browser(house)


def challenged(shop: Shop, number: str = ALWAYS, **more: Any) -> tuple[str, str]:
    """A payment that waits for its cardholder: its id, and the path of the page."""
    made = shop.create(shop.tokenize(number), 4200, confirm=True, **more)
    assert (made.status, made.body["state"]) == (201, "requires_action")
    assert made.body["next_action"]["type"] == "redirect_to_url"
    return str(made.body["id"]), str(made.body["next_action"]["url"])


def shown(shop: Shop, payment_id: str) -> dict[str, Any]:
    body: dict[str, Any] = shop.get(f"/payment-intents/{payment_id}").body
    return body


def as_json(shop: Shop, path: str, outcome: str) -> Answer:
    return shop.post(path, {"outcome": outcome})


def test_a_cardholder_confirms_on_the_page(house: House, shop: Shop, browser: Browser) -> None:
    """The page names shop, amount and card, loads nothing, and its button charges the card."""
    payment_id, path = challenged(shop, capture_method="automatic")
    status, headers, page = browser.get(path)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Kite &amp; Keel Books" in page
    assert "42.00 USD" in page
    assert "Visa ending in 3184" in page
    assert "<script" not in page
    assert "://" not in page, "no other host"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert payment_id not in page
    status, _, page = browser.press(path, "approve")
    assert (status, "confirmed" in page) == (200, True)
    payment = shown(shop, payment_id)
    assert (payment["state"], payment["next_action"]) == ("captured", None)
    assert [a["outcome"] for a in payment["attempts"]] == ["requires_action", "approved"]
    truth = lines(house.home / "data/providers/providerA_truth.jsonl")
    about = [line for line in truth if line["reference"].startswith(payment_id)]
    assert [line["reference"] for line in about] == [f"{payment_id}.2", f"{payment_id}.3"]


def test_a_challenge_is_answered_once(shop: Shop, browser: Browser) -> None:
    """The page of a used one says so with 409, an unknown one is 404, nonsense is refused."""
    payment_id, path = challenged(shop)
    status, _, page = browser.press(path, "maybe")
    assert (status, "try again" in page) == (422, True)
    assert browser.press(path, "fail")[0] == 200
    for again in (browser.get(path), browser.press(path, "approve")):
        assert (again[0], "Already answered" in again[2]) == (409, True)
    assert as_json(shop, path, "approve").body["code"] == "challenge-used"
    payment = shown(shop, payment_id)
    assert (payment["state"], payment["decline_code"]) == ("declined", "authentication_failed")
    for unknown in ("/challenges/chl_" + "a" * 32, "/challenges/x"):
        assert browser.get(unknown)[0] == 404
        assert shop.send("GET", unknown, None, {"Accept": JSON}).body["code"] == "not-found"


def test_a_challenge_speaks_json_to_whoever_does(shop: Shop) -> None:
    """The same without a page: what a cardholder may know, and nothing of the payment beside."""
    payment_id, path = challenged(shop, STEP_UP, metadata={"order": "7"})
    found = shop.send("GET", path, None, {"Accept": JSON}).body
    assert (found["object"], found["status"], found["payment_intent"]) == (
        "challenge",
        "pending",
        payment_id,
    )
    assert found["card"] == {"brand": "visa", "last4": "3220"}
    assert "metadata" not in found
    wrong = as_json(shop, path, "perhaps")
    assert (wrong.status, wrong.body["errors"][0]["field"]) == (422, "outcome")
    told = as_json(shop, path, "approve")
    assert (told.status, told.body["status"], told.body["state"]) == (200, "approved", "authorized")


def test_a_challenge_may_be_passed_and_the_card_declined(shop: Shop, browser: Browser) -> None:
    payment_id, path = challenged(shop, THEN_DECLINED)
    status, _, page = browser.press(path, "approve")
    assert (status, "Not paid" in page) == (200, True)
    payment = shown(shop, payment_id)
    assert (payment["state"], payment["decline_code"]) == ("declined", "generic_decline")


def test_a_challenge_that_is_left_or_cancelled_reverses_nothing(
    shop: Shop, browser: Browser
) -> None:
    payment_id, path = challenged(shop, UNLESS_SET_UP)
    assert browser.press(path, "abandon")[0] == 200
    assert shown(shop, payment_id)["state"] == "reversed"
    other, path = challenged(shop)
    assert shop.post(f"/payment-intents/{other}/capture", {}).body["legal"] == ["cancel"]
    cancelled = shop.post(f"/payment-intents/{other}/cancel", {})
    assert (cancelled.status, cancelled.body["state"]) == (200, "reversed")
    assert browser.get(path)[0] == 409


def test_who_reads_logs_and_keys_cannot_answer_a_challenge(
    house: House, shop: Shop, browser: Browser
) -> None:
    """The id is all that the page asks for: it stands in no log and in no list of keys."""
    _, path = challenged(shop)
    assert browser.get(path)[0] == 200
    assert browser.press(path, "approve")[0] == 200
    challenge_id = path.rpartition("/")[2].encode()
    files = [*house.home.glob("data/logs/*"), *house.home.glob("data/idempotency/*")]
    assert "idempotency_keys.json" in [file.name for file in files]
    assert [file.name for file in files if challenge_id in file.read_bytes()] == []


def test_the_other_provider_challenges_too(shop: Shop, browser: Browser) -> None:
    """The first refuses safely, the second asks, and the charge goes there."""
    drill = {"operation": "authorize", "do": "error", "count": 1}
    assert shop.post("/providers/providerA/inject-failure", drill).status == 201
    payment_id, path = challenged(shop)
    assert shown(shop, payment_id)["provider"] == "providerB"
    assert browser.press(path, "approve")[0] == 200
    payment = shown(shop, payment_id)
    assert (payment["provider"], payment["state"]) == ("providerB", "authorized")
    assert [a["outcome"] for a in payment["attempts"]] == [
        "not_accepted",
        "requires_action",
        "approved",
    ]
    reason = shop.get(f"/payment-intents/{payment_id}/routing").body["attempts"][2]["reason"]
    assert "by rule challenged" in reason


def test_a_challenge_in_doubt_declines(shop: Shop) -> None:
    """A provider that falls silent and then asks for the cardholder finds nobody there."""
    drill = {"operation": "authorize", "do": "approve_then_hang", "count": 1}
    assert shop.post("/providers/providerA/inject-failure", drill).status == 201
    made = shop.create(shop.tokenize(ALWAYS), 4200, confirm=True)
    assert made.status == 202

    def over() -> dict[str, Any] | None:
        found = shown(shop, made.body["id"])
        return found if found["state"] == "declined" else None

    assert until(over, "the end of the payment")["decline_code"] == "authentication_required"


def test_a_challenge_that_nobody_answers_expires(
    house: House, shop: Shop, browser: Browser
) -> None:
    """After a quarter of an hour of business time; the page says so with 410."""
    payment_id, path = challenged(shop)
    waiting = shop.get("/payment-intents?state=requires_action").body["data"]
    assert payment_id in [one["id"] for one in waiting]
    assert house.cli("clock", "advance", "15m").returncode == 0
    until(lambda: shown(shop, payment_id)["state"] == "reversed", "the end of the challenge")
    status, _, page = browser.get(path)
    assert (status, "Too late" in page) == (410, True)
    assert as_json(shop, path, "approve").status in (409, 410)


def test_the_books_say_all_of_it(house: House, shop: Shop) -> None:
    """Every entry has its event, the ledger's own fold and the outside auditor agree."""
    payment_id, path = challenged(shop)
    as_json(shop, path, "approve")
    family = shop.get(f"/ledger/{payment_id}").body
    assert [entry["type"] for entry in family["entries"]] == [
        "payment.created",
        "payment.attempt_started",
        "payment.requires_action",
        "payment.attempt_started",
        "payment.authorized",
    ]
    assert family["state"] == "authorized"
    told = shop.get("/events?limit=1000").body["data"]
    assert "payment.requires_action" in [event["type"] for event in told]
    assert house.cli("verify").returncode == 0
    report = audit(house.home)
    assert report.findings == [], report.findings
