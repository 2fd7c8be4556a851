"""Bad input at the real doors: a clear no in JSON, and not a line in a book or a mailbox for it."""

import json
from collections.abc import Iterator

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import sizes
from tests.scenarios.refusing import Doors
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario
#: What a refused request may not touch.
TRACES = ("data/ledger", "data/outbox", "data/providers", "data/vault", "mailboxes")
CARD_HEAD = '"exp_month":12,"exp_year":2030,"cvc":"123"'


@pytest.fixture(autouse=True)
def nothing_is_written(house: House, shop: Shop, token: str) -> Iterator[None]:
    """Line counts of books and mailboxes are the same before and after; and the house serves."""
    before = sizes(house.home, *TRACES)
    yield
    assert sizes(house.home, *TRACES) == before
    for row in house.rows():
        assert (row["state"], row["restarts"]) == ("serving", 0)


@pytest.fixture(scope="module")
def token(shop: Shop) -> str:
    return shop.tokenize()


@pytest.fixture(scope="module")
def payment(shop: Shop, token: str) -> str:
    return str(shop.create(token).body["id"])


@pytest.fixture(scope="module")
def doors(house: House, shop: Shop) -> Doors:
    return Doors(house, shop)


AMOUNTS = {
    "zero": "0",
    "below zero": "-1",
    "a float": "1.5",
    "a float that is whole": "1.0",
    "an exponent": "1e3",
    "text": '"1"',
    "true": "true",
    "null": "null",
    "a list": "[1]",
    "2 ** 63": str(2**63),
    "2 ** 64": str(2**64),
    "one above the bound": "100000000",
    "a thousand digits": "9" * 1000,
    "Arabic digits as text": '"\u0661\u0662"',
}
NOT_JSON = {
    "1e400": '{"amount":1e400}',
    "NaN": '{"amount":NaN}',
    "Infinity": '{"amount":-Infinity}',
    "Arabic digits": '{"amount":\u0661\u0662}',
    "a key twice": '{"amount":1,"amount":2}',
    "a key twice, deep": '{"metadata":{"a":"1","a":"2"}}',
    "U+2028": '{"metadata":{"a":"b\u2028c"}}',
    "U+2029": '{"metadata":{"a":"b\u2029c"}}',
    "U+0085": '{"metadata":{"a":"b\u0085c"}}',
    "U+2028, escaped": r'{"metadata":{"a":"b\u2028c"}}',
    "a zero, escaped": r'{"metadata":{"a":"\u0000"}}',
    "half a surrogate": r'{"metadata":{"a":"\ud800"}}',
    "a newline in a string": '{"metadata":{"a":"b\nc"}}',
    "half": '{"amount":1',
    "a comment": '{"amount":1} // one',
    "two values": '{"amount":1}{"amount":1}',
    "nothing": "",
    "depth 4,000": '{"a":' * 1_300 + "1" + "}" * 1_300,
    "a list, depth 4,000": "[" * 4_000 + "]" * 4_000,
}
POSTS = {
    "API": "/payment-intents",
    "VAULT": "/tokenize",
    "PROVIDER": "/providers/providerA/inject-failure",
}


@pytest.mark.parametrize("amount", AMOUNTS.values(), ids=AMOUNTS)
def test_an_amount_that_is_none_is_422_and_names_the_field(
    doors: Doors, token: str, payment: str, amount: str
):
    """For a create and for a capture; what Python would take for a number is none here."""
    create = f'{{"amount":{amount},"currency":"USD","payment_method":"{token}"}}'

    status, problem = doors.ask("API", "POST", "/payment-intents", create.encode())
    assert (status, problem["code"]) == (422, "validation-error")
    assert [one["field"] for one in problem["errors"]] == ["amount"]

    if amount != "null":  # A capture without an amount is one of all that is held.
        capture = f'{{"amount":{amount}}}'.encode()
        status, problem = doors.ask("API", "POST", f"/payment-intents/{payment}/capture", capture)
        assert (status, problem["code"]) == (422, "validation-error")


@pytest.mark.parametrize("door", POSTS)
@pytest.mark.parametrize("text", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_strict_json_is_400(doors: Doors, door: str, text: str):
    """At every door alike, and before anything about its content is looked at."""
    status, problem = doors.ask(door, "POST", POSTS[door], text.encode())

    assert (status, problem["code"]) == (400, "malformed-json")


@pytest.mark.parametrize("door", POSTS)
@pytest.mark.parametrize("text", ["[]", '"text"', "1", "null", "true", '{"surprise":1}'])
def test_json_of_another_shape_is_422(doors: Doors, door: str, text: str):
    """A list, a bare value, or a field that nobody knows."""
    status, problem = doors.ask(door, "POST", POSTS[door], text.encode())

    assert (status, problem["code"]) == (422, "validation-error")


@pytest.mark.parametrize("door", POSTS)
@pytest.mark.parametrize("opening", [b'{"a":', b"["], ids=["objects", "lists"])
def test_a_depth_of_100_000_is_refused_and_nobody_recurses(doors: Doors, door: str, opening: bytes):
    """It is far more than a body may hold, so it is not even parsed."""
    status, problem = doors.ask(door, "POST", POSTS[door], opening * 100_000)

    assert (status, problem["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("door", POSTS)
def test_100_mb_announced_are_413_before_they_are_sent(doors: Doors, door: str):
    """Whoever says how much is coming gets the answer at once."""
    status, problem = doors.ask(
        door, "POST", POSTS[door], b"{", headers="Content-Length: 104857600\r\n"
    )

    assert (status, problem["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("door", POSTS)
def test_100_mb_streamed_are_cut_off_early(doors: Doors, door: str):
    """Chunk after chunk without an end: the door answers 413 and takes no more."""
    status, sent = doors.stream(door, POSTS[door])

    assert status == 413
    assert sent < 100 * 1024 * 1024


@pytest.mark.parametrize("door", POSTS)
@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "text/json", "x"]
)
def test_a_body_that_does_not_say_it_is_json_is_415(
    doors: Doors, door: str, content_type: str | None
):
    """No guessing, so that no page of another site can post by a plain form."""
    status, problem = doors.ask(door, "POST", POSTS[door], b"{}", content_type=content_type)

    assert (status, problem["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize("door", POSTS)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_another_method_is_405_and_says_which_are_taken(doors: Doors, door: str, method: str):
    """The answer is JSON like any other, and `Allow` is there."""
    status, problem = doors.ask(door, method, POSTS[door])

    assert (status, problem["code"]) == (405, "method-not-allowed")


PATHS = {
    "unknown": "/nothing/here",
    "up and out": "/../../etc/passwd",
    "up and out of an id": "/payment-intents/../../../data/secrets/house",
    "escaped": "/payment-intents/%2e%2e%2f%2e%2e%2fdata%2fsecrets%2fhouse",
    "twice escaped": "/payment-intents/%252e%252e%252fhouse",
    "with a zero": "/payment-intents/pi_%00",
    "with a newline": "/payment-intents/pi_%0a%0d",
    "of the ledger": "/ledger/..%2f..%2fsecrets%2fhouse",
    "no payment": "/payment-intents/pi_0000000000000000",
    "very long": "/payment-intents/" + "a" * 4_000,
}


@pytest.mark.parametrize("door", POSTS)
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_an_id_that_is_none_is_404_and_opens_no_file(doors: Doors, door: str, path: str):
    """Dots, slashes and control characters arrive as they were sent, and lead nowhere."""
    status, problem = doors.ask(door, "GET", path)

    assert (status, problem["code"]) == (404, "not-found")


@pytest.mark.parametrize("name", ["..%2f..%2fdata", "nobody", "%2e%2e", "dlq", "hand"])
def test_an_actor_or_provider_that_is_none_is_404(doors: Doors, name: str):
    """A mailbox is not opened by whatever name one likes."""
    assert doors.ask("API", "GET", f"/actors/{name}/mailbox")[0] == 404
    assert doors.ask("API", "POST", f"/actors/{name}/kill")[0] == 404
    assert doors.ask("API", "GET", f"/providers/{name}")[0] == 404
    rule = b'{"operation":"authorize","do":"down"}'
    assert doors.ask("PROVIDER", "POST", f"/providers/{name}/inject-failure", rule)[0] == 404


@pytest.mark.parametrize("door", POSTS)
@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
    ],
    ids=[
        "words",
        "method",
        "version",
        "TLS",
        "length below 0",
        "two lengths",
        "long header",
        "no colon",
    ],
)
def test_what_is_not_http_is_answered_in_json_too(doors: Doors, door: str, data: bytes):
    """The library's own page and words are never seen."""
    assert doors.raw(door, data)[0] in (400, 431, 505)


@pytest.mark.parametrize(
    "key", [None, "", "a" * 256, '"', '""', "a\tb", "é", "4242424242424242"], ids=repr
)
def test_an_idempotency_key_that_is_none_is_400_before_the_body_is_looked_at(
    doors: Doors, key: str | None
):
    """Missing, empty, too long, or with what is not printable; and the body is not even JSON."""
    status, problem = doors.ask("API", "POST", "/payment-intents", b"{", idempotency_key=key)

    assert status == 400
    assert problem["code"] in ("idempotency-key-missing", "idempotency-key-invalid", "bad-request")


@pytest.mark.parametrize("given", ["a b", "a" * 65, "ä", "../x", "4242424242424242", ""])
def test_a_correlation_id_that_is_none_is_replaced(doors: Doors, given: str):
    """What would be written to every file is not chosen by whoever sends nonsense."""
    headers = f"X-Correlation-Id: {given}\r\n"
    _, problem = doors.ask("API", "GET", "/nothing", headers=headers)

    assert problem["correlation_id"].startswith("cor_")


ARABIC = "\u0664\u0662" * 8
FULL_WIDTH = "\uff14\uff12" * 8
CARDS = {
    "a number, not text": f'{{"number":4242424242424242,{CARD_HEAD}}}',
    "Arabic digits": f'{{"number":"{ARABIC}",{CARD_HEAD}}}',
    "full-width digits": f'{{"number":"{FULL_WIDTH}",{CARD_HEAD}}}',
    "a wrong check digit": f'{{"number":"4242424242424241",{CARD_HEAD}}}',
    "too short": f'{{"number":"42",{CARD_HEAD}}}',
    "too long": f'{{"number":"{"42" * 30}",{CARD_HEAD}}}',
    "no CVC": '{"number":"4242424242424242","exp_month":12,"exp_year":2030}',
    "a CVC of two": ('{"number":"4242424242424242","exp_month":12,"exp_year":2030,"cvc":"12"}'),
    "month 13": '{"number":"4242424242424242","exp_month":13,"exp_year":2030,"cvc":"123"}',
    "a year that is over": (
        '{"number":"4242424242424242","exp_month":1,"exp_year":2001,"cvc":"123"}'
    ),
    "a month as true": (
        '{"number":"4242424242424242","exp_month":true,"exp_year":2030,"cvc":"123"}'
    ),
    "a year of 2 ** 70": (
        f'{{"number":"4242424242424242","exp_month":1,"exp_year":{2**70},"cvc":"123"}}'
    ),
}


@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_a_card_that_is_none_is_422_without_its_digits(doors: Doors, card: str):
    """The refusal says what is wrong, and not with what."""
    status, problem = doors.ask("VAULT", "POST", "/tokenize", card.encode())

    assert (status, problem["code"]) == (422, "validation-error")
    assert "4242" not in json.dumps(problem)
