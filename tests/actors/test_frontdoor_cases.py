"""Cases over HTTP: what no rule may decide, folded from the payments' book."""

import msgspec
import pytest

from payrail.domain.books import LEDGER_BOOK
from payrail.domain.claim_entries import CaseClosed
from payrail.domain.ledger import CaseOpened
from tests.actors.booked import created, entry, pi
from tests.actors.doors import AT, book, open_door

CLOSED_AT = "2026-02-10T08:00:00.000Z"


def case(number):
    return f"case_{number:016d}"


def opened(number, payment_id, reason="late_approval", **more):
    return entry(case(number), "case.opened", CaseOpened(payment_id, reason, 700), **more)


def closed(number, payment_id, **more):
    data = CaseClosed(payment_id, "usr_m001_approver", "given back")
    told = entry(case(number), "case.closed", data, **more)
    return msgspec.structs.replace(told, timestamp=CLOSED_AT)


async def ids(door, query="", **more):
    """Ids of the list, page after page."""
    found: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        path = f"/cases?{query}{f'&cursor={cursor}' if cursor else ''}"
        status, _, page = await door.ask("GET", path, **more)
        assert (status, page["has_more"]) == (200, page["next_cursor"] is not None)
        assert page["data"] or not page["has_more"]
        found.append([one["id"] for one in page["data"]])
        cursor = page["next_cursor"]
    return found


async def test_a_case_shows_what_is_at_stake_and_where_to_look(tmp_path):
    """As its entry has it, as soon as it is booked, without asking the gateway."""
    end = book(tmp_path, LEDGER_BOOK, [created(pi(1))])
    async with open_door(tmp_path) as door:
        assert (await door.ask("GET", f"/cases/{case(1)}"))[0] == 404
        book(tmp_path, LEDGER_BOOK, [opened(1, pi(1), currency="EUR")], *end)
        status, _, one = await door.ask("GET", f"/cases/{case(1)}")
        _, _, page = await door.ask("GET", "/cases")
        asked = door.gateway.asked

    assert (status, page["data"], asked) == (200, [one], [])
    assert one["about"].startswith("A closed payment was approved after all")
    assert {name: one[name] for name in ("object", "state", "reason", "payment_intent")} == {
        "object": "case",
        "state": "open",
        "reason": "late_approval",
        "payment_intent": pi(1),
    }
    assert (one["merchant_id"], one["exposure"], one["currency"]) == ("m_001", 700, "EUR")
    assert (one["opened_at"], one["closed_at"], one["closed_by"]) == (AT, None, None)
    assert one["evidence"] == [f"payrail why {pi(1)}", f"GET /ledger/{pi(1)}"]


async def test_a_closed_case_says_who_closed_it_and_when(tmp_path):
    """The fold of both entries; the list's filter follows the move."""
    end = book(tmp_path, LEDGER_BOOK, [created(pi(1)), opened(1, pi(1))])
    async with open_door(tmp_path) as door:
        assert await ids(door, "state=open") == [[case(1)]]
        book(tmp_path, LEDGER_BOOK, [closed(1, pi(1))], *end)
        _, _, one = await door.ask("GET", f"/cases/{case(1)}")
        assert await ids(door, "state=open") == [[]]
        assert await ids(door, "state=closed") == [[case(1)]]

    assert (one["state"], one["opened_at"], one["closed_at"]) == ("closed", AT, CLOSED_AT)
    assert (one["closed_by"], one["resolution"]) == ("usr_m001_approver", "given back")


async def test_cases_are_filtered_and_paged_newest_first(tmp_path):
    """Filters hold over pages, and a page that ends the list says so."""
    records = [created(pi(n)) for n in (1, 2)]
    records += [opened(n, pi(1 + n % 2)) for n in range(1, 8)]
    records += [closed(n, pi(1 + n % 2)) for n in (1, 4, 7)]
    book(tmp_path, LEDGER_BOOK, records)
    async with open_door(tmp_path) as door:
        assert await ids(door, "limit=3") == [
            [case(7), case(6), case(5)],
            [case(4), case(3), case(2)],
            [case(1)],
        ]
        assert await ids(door, "limit=2&state=open") == [[case(6), case(5)], [case(3), case(2)]]
        assert await ids(door, f"payment_intent={pi(1)}") == [[case(6), case(4), case(2)]]
        assert await ids(door, f"payment_intent={pi(2)}&state=closed") == [[case(7), case(1)]]
        assert await ids(door, f"payment_intent={pi(9)}") == [[]]


async def test_pages_stay_as_they_are_when_a_case_is_opened(tmp_path):
    """A new case goes behind every cursor."""
    end = book(tmp_path, LEDGER_BOOK, [created(pi(1)), *(opened(n, pi(1)) for n in (1, 2))])
    async with open_door(tmp_path) as door:
        _, _, page = await door.ask("GET", "/cases?limit=1")
        book(tmp_path, LEDGER_BOOK, [opened(3, pi(1))], *end)
        _, _, page = await door.ask("GET", f"/cases?limit=1&cursor={page['next_cursor']}")

    assert ([one["id"] for one in page["data"]], page["has_more"]) == ([case(1)], False)


async def test_another_merchants_case_is_an_unknown_one(tmp_path):
    """The same 404 in every word as for one that never was; a case of nobody is the house's."""
    records = [
        created(pi(1)),
        opened(1, pi(1)),
        opened(2, "po_1", "payout_returned", merchant=None),
    ]
    book(tmp_path, LEDGER_BOOK, records)
    async with open_door(tmp_path) as door:
        other = door.key(merchant="m_002")
        told = []
        for number in (1, 2, 9):
            status, _, problem = await door.ask("GET", f"/cases/{case(number)}", key=other)
            assert status == 404
            del problem["correlation_id"]
            told.append(problem)
        assert told[0] == told[1] == told[2]
        assert await ids(door, f"payment_intent={pi(1)}", key=other) == [[]]
        assert await ids(door) == [[case(1)]]
        assert await ids(door, key=door.service) == [[case(2), case(1)]]


async def test_readers_alone_see_cases(tmp_path):
    """Every role that may look at payments; a key that stands in a web page may not."""
    book(tmp_path, LEDGER_BOOK, [created(pi(1)), opened(1, pi(1))])
    async with open_door(tmp_path) as door:
        for path in ("/cases", f"/cases/{case(1)}"):
            for role in ("admin", "operator", "approver", "viewer", "auditor"):
                assert (await door.ask("GET", path, key=door.key(role)))[0] == 200, role
            assert (await door.ask("GET", path, key=door.key("publishable")))[0] == 403
            assert (await door.ask("GET", path, key=""))[0] == 401


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=lost", "state"),
        ("state=open&state=closed", "state"),
        ("payment_intent=po_1", "payment_intent"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("reason=overdrawn", "reason"),
    ],
)
async def test_what_cannot_be_meant_is_refused(tmp_path, query, field):
    """422 names the parameter."""
    async with open_door(tmp_path) as door:
        status, _, problem = await door.ask("GET", f"/cases?{query}")
    assert (status, problem["errors"][0]["field"]) == (422, field)


async def test_a_case_that_cannot_be_so_is_shown_to_nobody(tmp_path):
    """Closed twice in the book: the file is damaged for who asks for the case, while payments are
    read on."""
    book(tmp_path, LEDGER_BOOK, [created(pi(1)), opened(1, pi(1)), *[closed(1, pi(1))] * 2])
    async with open_door(tmp_path) as door:
        status, _, told = await door.ask("GET", f"/cases/{case(1)}")
        assert (status, told["code"]) == (503, "file-damaged")
        assert (await door.ask("GET", f"/payment-intents/{pi(1)}"))[0] == 200


async def test_the_document_tells_of_cases(tmp_path):
    """Every field that is answered stands in the document, and no other."""
    book(tmp_path, LEDGER_BOOK, [created(pi(1)), opened(1, pi(1))])
    async with open_door(tmp_path) as door:
        _, _, document = await door.ask("GET", "/openapi.json", key="")
        _, _, one = await door.ask("GET", f"/cases/{case(1)}")

    parameters = document["paths"]["/cases"]["get"]["parameters"]
    names = {one["name"] for one in parameters}
    assert {"state", "payment_intent", "limit", "cursor"} <= names
    assert set(document["components"]["schemas"]["CaseShown"]["properties"]) == set(one)
