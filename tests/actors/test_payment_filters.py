"""The filters of the list of payments: what they let through, what they refuse, how they page."""

import asyncio
import tempfile
from datetime import datetime
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.frontdoor import lists
from actors.frontdoor.lists import found_from
from actors.frontdoor.payment_filters import FILTERS, PaymentFilter
from actors.frontdoor.reads import PaymentsView
from payrail.domain.books import LEDGER_BOOK
from payrail.domain.ledger import PaymentCreated, PaymentMethod
from payrail.domain.payment_view import PaymentState, render
from payrail.storage.fs import RealFs
from tests.actors.booked import TOKEN, captured, entry, pi, started
from tests.actors.doors import book, open_door

ADA = {"id": "c_1", "name": "Ada Lovelace", "email": "Ada@Example.com", "ip": None}


def made(number, *, at=0, last4="4242", customer=None, metadata=None, **more):
    """A payment's creation, `at` minutes after noon."""
    method = PaymentMethod(TOKEN, "visa", "424242", last4)
    data = PaymentCreated(method, "manual", customer, metadata or {}, "k", "usr_1")
    line = entry(pi(number), "payment.created", data, **more)
    return msgspec.structs.replace(line, timestamp=f"2026-02-09T12:{at:02}:00.000Z")


async def asked(door, **query):
    status, _, page = await door.ask("GET", f"/payment-intents?{urlencode(query)}")
    assert status == 200, page
    return [payment["id"] for payment in page["data"]]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"merchant": "m_001"}, [3, 2, 1]),
        ({"merchant": "m_002"}, []),
        ({"state": "processing"}, [3]),
        ({"provider": "provider-a"}, [3]),
        ({"currency": "EUR"}, [2]),
        ({"amount_min": "500"}, [3, 2]),
        ({"amount_max": "500"}, [2, 1]),
        ({"amount_min": "500", "amount_max": "500"}, [2]),
        ({"last4": "0005"}, [3]),
        ({"email": "ada@EXAMPLE.com"}, [2]),
        ({"email": "ada"}, []),
        ({"q": "LOVE"}, [2]),
        ({"q": "ample.c"}, [2]),
        ({"q": "STRASSE"}, [3]),
        ({"q": pi(1)[-4:]}, [1]),
        ({"q": "c_1"}, []),
        ({"q": "cor_1"}, []),
        ({"q": "note"}, []),  # a name in the metadata is no value
        ({"created_from": "2026-02-09T13:10:00+01:00"}, [3, 2]),
        ({"created_to": "2026-02-09T12:10:00Z"}, [2, 1]),
        ({"amount_min": "100", "email": "ada@example.com", "q": "eur-order"}, [2]),
    ],
)
async def test_each_filter_lets_through_what_it_says(tmp_path, query, wanted):
    """Both ends of a range belong to it; text is found in any case; filters are joined by and."""
    one, two = made(1, amount=100), made(2, at=10, amount=500, currency="EUR", customer=ADA)
    two.data.metadata["order"] = "EUR-order"
    three = made(3, at=20, amount=900, last4="0005", metadata={"note": "Hauptstraße 5"})
    book(tmp_path, LEDGER_BOOK, [one, two, three, started(pi(3))])
    async with open_door(tmp_path) as door:
        assert await asked(door, **query) == [pi(number) for number in wanted]


async def test_what_cannot_be_meant_is_refused_by_name(tmp_path):
    """422 with the field and a remedy, and never the value; digits are ASCII digits."""
    bad = [
        *[("merchant", text) for text in ("", "m_", "001", "m_٣")],
        *[("state", text) for text in ("", "Captured", "lost")],
        *[("provider", text) for text in ("", "providerZ")],
        *[("currency", text) for text in ("", "usd", "USDX", "ZZZ")],
        *[("amount_min", text) for text in ("", "-1", "1.5", "100000000", "١٢", " 1", "+1")],
        *[("amount_max", text) for text in ("1e3", "٣٤")],
        *[("last4", text) for text in ("", "424", "42424", "٤٢٤٢", "4242\n")],
        *[("email", text) for text in ("", "x" * 101)],
        *[("q", text) for text in ("", "x" * 101)],
        *[("created_from", text) for text in ("", "2026-02-08", "2026-02-08T12:00:00", "noon")],
        *[("created_to", text) for text in ("2026-02-08٣12:00:00Z", "1770638400")],
    ]
    async with open_door(tmp_path) as door:
        for name, value in bad:
            query = urlencode({name: value})
            status, _, problem = await door.ask("GET", f"/payment-intents?{query}")
            (error,) = problem["errors"]
            assert (status, problem["code"]) == (422, "validation-error"), query
            assert (error["field"], error["message"][:4]) == (name, "must"), query
            assert len(value) < 5 or value not in problem["detail"], query


async def test_filters_that_contradict_are_refused(tmp_path):
    """A range that ends before it begins and a filter given twice would look like no payments."""
    swapped = {"created_from": "2026-02-09T12:00:01Z", "created_to": "2026-02-09T12:00:00Z"}
    async with open_door(tmp_path) as door:
        for query, field in (
            ("amount_min=2&amount_max=1", "amount_min"),
            (urlencode(swapped), "created_from"),
            ("state=created&state=captured", "state"),
        ):
            status, _, problem = await door.ask("GET", f"/payment-intents?{query}")
            assert (status, problem["errors"][0]["field"]) == (422, field)


async def test_the_document_names_every_filter(tmp_path):
    """What may be asked stands in /openapi.json."""
    async with open_door(tmp_path) as door:
        _, _, document = await door.ask("GET", "/openapi.json", key="")
        told = document["paths"]["/payment-intents"]["get"]["parameters"]
        assert [one["name"] for one in told] == [*FILTERS, "limit", "cursor"]


async def test_a_payment_that_arrives_between_pages_moves_none(tmp_path):
    """The second page goes on where the first ended, whatever was booked since."""
    end = book(tmp_path, LEDGER_BOOK, [made(number, customer=ADA) for number in range(1, 5)])
    async with open_door(tmp_path) as door:
        _, _, page = await door.ask("GET", "/payment-intents?q=ada&limit=2")
        book(tmp_path, LEDGER_BOOK, [made(5, customer=ADA), *captured(pi(6))], *end)
        rest = await asked(door, q="ada", limit=2, cursor=page["next_cursor"])
        assert [payment["id"] for payment in page["data"]] + rest == [pi(n) for n in (4, 3, 2, 1)]


async def test_a_rare_match_ends_a_page_and_lets_others_in(tmp_path, monkeypatch):
    """A page looks at so many payments and no more, gives way in between, and says where it is."""
    monkeypatch.setattr(lists, "SCAN_MAX", 20)
    monkeypatch.setattr(lists, "SCAN_SLICE", 5)
    book(tmp_path, LEDGER_BOOK, [made(1, customer=ADA), *[made(n) for n in range(2, 50)]])
    payments = PaymentsView(RealFs(str(tmp_path), durable=False))
    payments.catch_up()
    rows, turns = payments.oldest_first("m_001"), 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    wanted = PaymentFilter(text="lovelace")
    assert await found_from(payments, rows, wanted, len(rows), 10) == ([], 29)
    assert turns >= 4
    running.cancel()
    assert await found_from(payments, rows, wanted, 29, 10) == ([], 9)
    data, place = await found_from(payments, rows, wanted, 9, 10)
    assert ([payment["id"] for payment in data], place) == ([pi(1)], 0)


MINUTES = st.integers(0, 9)
AMOUNTS = st.integers(1, 9)
WORDS = st.sampled_from(["Ada", "ada@x.io", "BOB", "bob@x.io", "ß", "0001"])
PAYMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "at": MINUTES,
            "amount": AMOUNTS,
            "currency": st.sampled_from(["USD", "EUR"]),
            "last4": st.sampled_from(["4242", "0005"]),
            "merchant": st.sampled_from(["m_001", "m_001", "m_002"]),
            "customer": st.none()
            | st.fixed_dictionaries({"name": st.none() | WORDS, "email": st.none() | WORDS}),
            "metadata": st.dictionaries(st.sampled_from("ab"), WORDS),
            "is_started": st.booleans(),
        }
    ),
    max_size=25,
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "merchant": st.sampled_from(["m_001", "m_002"]),
        "state": st.sampled_from(["created", "processing", "captured"]),
        "provider": st.sampled_from(["providerA", "providerB"]),
        "currency": st.sampled_from(["USD", "EUR"]),
        "amount_min": AMOUNTS,
        "amount_max": AMOUNTS,
        "last4": st.sampled_from(["4242", "0005"]),
        "email": WORDS,
        "created_from": MINUTES,
        "created_to": MINUTES,
        "q": st.sampled_from(["a", "ADA", "x.io", "SS", "pi_", "00", "zz"]),
    },
)


def plainly(payment, query):
    """Whether the list should have this payment, by what the API itself shows of it."""
    customer = payment["customer"] or {}
    about = [payment["id"], customer.get("name"), customer.get("email")]
    about += payment["metadata"].values()
    minute = datetime.fromisoformat(payment["created_at"]).minute
    email = customer.get("email")
    tests = {
        "merchant": lambda wanted: payment["merchant_id"] == wanted,
        "state": lambda wanted: payment["state"] == wanted,
        "provider": lambda wanted: payment["provider"] == wanted,
        "currency": lambda wanted: payment["currency"] == wanted,
        "amount_min": lambda wanted: payment["amount"] >= wanted,
        "amount_max": lambda wanted: payment["amount"] <= wanted,
        "last4": lambda wanted: payment["payment_method"]["last4"] == wanted,
        "email": lambda wanted: email is not None and email.casefold() == wanted.casefold(),
        "created_from": lambda wanted: minute >= wanted,
        "created_to": lambda wanted: minute <= wanted,
        "q": lambda wanted: any(wanted.casefold() in (one or "").casefold() for one in about),
    }
    return all(tests[name](wanted) for name, wanted in query.items())


def as_filter(query):
    """What the door makes of this query."""
    at = {name: query.get(f"created_{name}") for name in ("from", "to")}
    times = {
        f"created_{name}": f"2026-02-09T12:{minute:02}:00.000Z"
        for name, minute in at.items()
        if minute is not None
    }
    folded = {name: query[name].casefold() if name in query else None for name in ("email", "q")}
    return PaymentFilter(
        merchant_id=query.get("merchant"),
        state=PaymentState(query["state"]) if "state" in query else None,
        provider=query.get("provider"),
        currency=query.get("currency"),
        amount_minor_min=query.get("amount_min"),
        amount_minor_max=query.get("amount_max"),
        last4=query.get("last4"),
        email=folded["email"],
        text=folded["q"],
        **times,
    )


async def paged(payments, rows, wanted, limit):
    place, seen = len(rows), []
    while True:
        data, place = await found_from(payments, rows, wanted, place, limit)
        assert len(data) <= limit
        seen += data
        if not place:
            return seen


@settings(max_examples=60, deadline=None)
@given(PAYMENTS, QUERIES, st.integers(1, 4), st.integers(1, 8), st.none() | st.just("m_001"))
def test_pages_are_a_plain_filter_over_all(payments, query, limit, scan_max, merchant):
    """Whatever is asked of whatever stands there: each wanted payment once, newest first."""
    records = []
    for number, payment in enumerate(payments, 1):
        about = {name: value for name, value in payment.items() if name != "is_started"}
        records.append(made(number, **about))
        if payment["is_started"]:
            more = {name: about[name] for name in ("merchant", "currency")}
            records.append(started(pi(number), **more))
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patched:
        patched.setattr(lists, "SCAN_MAX", scan_max)
        book(home, LEDGER_BOOK, records)
        view = PaymentsView(RealFs(home, durable=False))
        view.catch_up()
        rows = view.oldest_first(merchant)
        everything = [render(view.view(row)) for row in reversed(rows)]
        seen = asyncio.run(paged(view, rows, as_filter(query), limit))
    assert seen == [payment for payment in everything if plainly(payment, query)]
