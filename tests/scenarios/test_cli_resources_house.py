"""Payments, refunds, payouts, cases, disputes and rules by command line: tables for people, the
API's own JSON for scripts, and errors that say what to do."""

import json
import subprocess
from typing import Any

import pytest

from actors.cli.chaos.house import House
from actors.cli.common import cell
from tests.scenarios.living import until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario

DECLINED = "0002"
CHECKER = ("--as", "ada", "--role", "approver")


@pytest.fixture(scope="module")
def token(house: House) -> str:
    """Of the first documented card, for the first merchant of the demo."""
    return ran(house, "payments", "test-card").stdout.strip()


def ran(house: House, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """What a verb did that ends with this code."""
    done = house.cli(*words)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def told(house: House, *words: str) -> Any:
    """What a verb prints as JSON."""
    return json.loads(ran(house, *words, "--json").stdout)


def made(house: House, token: str, *more: str, amount: int = 1099) -> Any:
    """A payment that was made by command line."""
    order = ("--amount", str(amount), "--currency", "USD", "--token", token)
    return told(house, "payments", "create", *order, *more)


def charged(house: House, token: str) -> str:
    """The id of a captured payment."""
    return str(made(house, token, "--confirm", "--capture-method", "automatic")["id"])


def test_a_payment_from_order_to_capture(house: House, shop: Shop, token: str) -> None:
    """Made, held, claimed in part, given back: each answer is the payment as the API shows it, and
    a table has the columns of the list."""
    words = ("--customer", "country=NL", "--metadata", "order=7")
    payment = made(house, token, *words)
    assert payment["merchant_id"] == "m_001"  # The first of the demo, where nobody is named.
    assert (payment["customer"]["country"], payment["metadata"]) == ("NL", {"order": "7"})
    ident = payment["id"]

    head, row = ran(house, "payments", "authorize", ident).stdout.splitlines()
    assert head.split()[:4] == ["ID", "STATE", "AMOUNT", "CURRENCY"]
    assert row.split()[:4] == [ident, "authorized", "1099", "USD"]
    captured = told(house, "payments", "capture", ident, "--amount", "1000", "--more-later")
    assert (captured["amount_captured"], captured["amount_capturable"]) == (1000, 99)
    assert told(house, "payments", "cancel", ident)["amount_capturable"] == 0

    assert told(house, "payments", "show", ident) == shop.get(f"/payment-intents/{ident}").body
    then = told(house, "payments", "show", ident, "--at", payment["created_at"])
    assert then["state"] == "created"
    shown = ran(house, "payments", "show", ident).stdout
    assert "payment_method.last4" in shown
    assert "\nattempts:\n" in shown


def test_lists_are_pages_of_the_api(house: House, shop: Shop, token: str) -> None:
    """Filters narrow, a cursor goes on, and `--json` is what the API answers; without a merchant
    the list is of all."""
    first, second = (made(house, token, "--merchant", "m_001")["id"] for _ in range(2))
    page = told(house, "payments", "ls", "--merchant", "m_001", "--limit", "1")
    assert page == shop.get("/payment-intents?limit=1").body
    assert [one["id"] for one in page["data"]] == [second]
    next_page = ("--limit", "1", "--cursor", page["next_cursor"])
    assert first in ran(house, "payments", "ls", "--merchant", "m_001", *next_page).stdout
    assert "--cursor" in ran(house, "payments", "ls", "--limit", "1").stderr
    assert told(house, "payments", "ls", "--q", first, "--state", "created")["data"] != []
    assert told(house, "payments", "ls", "--q", first, "--state", "captured")["data"] == []
    assert told(house, "payments", "ls", "--merchant", "m_002")["data"] == []


def test_a_decline_is_an_answer(house: House) -> None:
    """Exit 0, the payment with its state on stdout, the issuer's word on stderr."""
    payment = made(house, told(house, "payments", "test-card", DECLINED)["token"])
    done = ran(house, "payments", "authorize", payment["id"], "--json")
    assert json.loads(done.stdout)["state"] == "declined"
    assert "card-declined: " in done.stderr


def test_doubt_is_no_end(house: House, token: str) -> None:
    """While a provider does not answer, the payment is printed as it stands, and stderr says that
    it is not final."""
    rule = '{"operation":"authorize","do":"approve_then_hang","count":1}'
    ran(house, "providers", "inject", "provider-a", rule)
    ident = made(house, token)["id"]
    done = ran(house, "payments", "authorize", ident, "--json")
    assert json.loads(done.stdout)["state"] == "unknown"
    assert "not final yet" in done.stderr

    def state() -> bool:
        return bool(told(house, "payments", "show", ident)["state"] == "authorized")

    until(state, "the provider was asked")


def test_the_key_that_was_told_repeats_the_order(house: House, token: str) -> None:
    """The key stands on stderr; with it the same words find the same payment, and other words are
    refused with the field that differs."""
    words = ("payments", "create", "--currency", "USD", "--token", token, "--json", "--amount")
    done = ran(house, *words, "700")
    again = ("--key", done.stderr.split()[1])
    assert ran(house, *words, "700", *again).stdout == done.stdout
    refused = ran(house, *words, "701", *again, code=64)
    assert "idempotency-key-reused" in refused.stderr
    assert "amount: was 700, is now 701" in refused.stderr


def test_a_dry_run_changes_nothing(house: House, token: str) -> None:
    """It tells entries and state, makes no key, and the payment stays as it is."""
    ident = made(house, token)["id"]
    done = ran(house, "payments", "authorize", ident, "--dry-run", "--json")
    assert json.loads(done.stdout)["would"]["state"] == "authorized"
    assert "--key" not in done.stderr
    assert "\nentries:\n" in ran(house, "payments", "authorize", ident, "--dry-run").stdout
    assert told(house, "payments", "show", ident)["state"] == "created"


def test_a_refund_takes_two_people(house: House, token: str) -> None:
    """Who asked is refused with the way out; another user approves, or rejects with a reason."""
    payment = charged(house, token)
    asks = ("refunds", "create", payment, "--reason", "too late", "--amount")
    first, second = (told(house, *asks, amount)["id"] for amount in ("300", "200"))
    refused = ran(house, "refunds", "approve", first, code=1)
    assert "four-eyes" in refused.stderr
    assert "--as USER" in refused.stderr
    approved = told(house, "refunds", "approve", first, *CHECKER)
    assert (approved["requested_by"], approved["approved_by"]) == ("cli", "ada")
    assert ran(house, "refunds", "reject", second, "--reason", "no", *CHECKER).stdout
    listed = told(house, "refunds", "ls", "--payment-intent", payment)["data"]
    assert [one["state"] for one in listed][:1] == ["rejected"]
    assert first in ran(house, "refunds", "show", first).stdout


def test_a_dispute_is_opened_and_ruled(house: House, token: str) -> None:
    """Opening and ruling ask the provider; the checklist is shown beside the columns."""
    payment = charged(house, token)
    words = ("disputes", "open", payment, "--reason", "fraudulent", "--amount", "500")
    opened = told(house, *words)
    assert (opened["amount"], opened["stage"]) == (500, "chargeback")
    ident = opened["id"]
    given = ran(house, "disputes", "evidence", ident, "usage_log=every day").stdout
    assert "usage_log" in given
    assert told(house, "disputes", "submit", ident)["state"] == "under_review"
    assert told(house, "disputes", "resolve", ident, "won")["state"] == "won"


def test_a_case_is_looked_into(house: House, token: str) -> None:
    """What no rule may decide is listed, shown, and closed in the words of who looked."""
    rule = '{"operation":"authorize","do":"wrong_amount","count":1}'
    ran(house, "providers", "inject", "provider-a", rule)
    payment = made(house, token, "--confirm")["id"]
    words = ("cases", "ls", "--payment-intent", payment, "--state", "open")
    (ident,) = [one["id"] for one in told(house, *words)["data"]]
    assert told(house, "cases", "show", ident)["payment_intent"] == payment
    done = ran(house, "cases", "close", ident, "--resolution", "bank called", "--as", "ada")
    assert "bank called" in done.stdout
    assert told(house, "cases", "show", ident)["closed_by"] == "ada"


def test_a_payout_and_what_the_bank_says(house: House, token: str) -> None:
    """What was settled is paid out; the drill of the bank ends it."""
    charged(house, token)
    ran(house, "settle")
    ran(house, "reconcile")
    payout = told(house, "payouts", "create", "--currency", "USD")
    assert payout["state"] == "in_transit"
    done = ran(house, "payouts", "resolve", payout["id"], "failed", "--code", "account_closed")
    assert "account_closed" in done.stdout
    assert payout["id"] in ran(house, "payouts", "ls", "--state", "failed").stdout
    assert told(house, "payouts", "show", payout["id"])["state"] == "failed"


def test_a_refused_rule_file_is_told_by_line(house: House) -> None:
    """A file that cannot be used has a line for each complaint; the others are in force."""
    path = house.home / "data/rules/refunds.toml"
    good = path.read_bytes()
    path.write_text("\nnonsense = 1\n")
    try:
        refused = until(lambda: _refused(house), "the file is refused")
        assert refused["state"] == "refused"
        rows = [line.split() for line in ran(house, "rules").stdout.splitlines()]
        assert rows[0] == ["FILE", "STATE", "IN_FORCE_SINCE", "LINE", "FIELD", "MESSAGE"]
        (row,) = [row for row in rows if row[1] == "refused"]
        assert row[3] == str(refused["errors"][0]["line"])
        assert "in_force" in {row[1] for row in rows}
    finally:
        path.write_bytes(good)


def _refused(house: House) -> Any:
    states = {one["state"]: one for one in told(house, "rules")["data"]}
    return states.get("refused")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("payments", "show", "pi_none"), 66, "not-found"),
        (("payments", "show", "../clock"), 66, "not-found"),
        (("payments", "capture", "pi_none"), 66, "not-found"),
        (("payments", "ls", "--state", "king"), 64, "state: "),
        (("payments", "ls", "--merchant", "m_none"), 64, "X-Merchant-Id"),
        (("refunds", "create", "pi_none", "--amount", "1", "--reason", "x"), 66, "not-found"),
        (("payments", "test-card", "9999"), 66, "There are: 4242"),
        (("payouts", "create", "--currency", "usd"), 64, "currency: "),
        (("cases", "close", "case_none", "--resolution", "x"), 66, "not-found"),
        (("payments", "ls", "--merchant", "m\u00e4"), 64, "ASCII"),
    ],
)
def test_what_cannot_be_says_what_to_do(
    house: House, words: tuple[str, ...], code: int, says: str
) -> None:
    """Exit code and field; nothing on stdout."""
    done = ran(house, *words, code=code)
    assert done.stdout == ""
    assert done.stderr.splitlines()[0].startswith(("payrail: ", "--key "))
    assert says in done.stderr


def test_an_order_out_of_turn_names_what_is_legal(house: House, token: str) -> None:
    """Another merchant's payment is none; a capture before the hold is refused with the verbs that
    are legal; a body that cannot be says which field."""
    ident = made(house, token)["id"]
    ran(house, "payments", "cancel", ident, "--merchant", "m_002", code=66)
    refused = ran(house, "payments", "capture", ident, code=1)
    assert "What may be done instead: " in refused.stderr
    many = ran(house, "payments", "capture", ident, "--amount", "0", code=64)
    assert "amount: " in many.stderr


def test_a_terminal_obeys_no_cell() -> None:
    """Words of strangers stand in tables on one line, without what moves a cursor or turns text."""
    assert cell("a\x1b[2J\nb\u202ec") == "a\ufffd[2J\ufffdb\ufffdc"
    assert (cell(None), cell(7), cell(["x"])) == ("-", "7", '["x"]')


def test_nobody_there_is_69(tmp_path: Any) -> None:
    """A home on which no house runs: the verb says how to start one."""
    nobody = House(tmp_path)
    for words in (("payments", "ls"), ("payouts", "create", "--currency", "USD"), ("rules",)):
        assert "payrail up" in ran(nobody, *words, code=69).stderr
