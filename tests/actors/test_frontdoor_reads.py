"""Reads at the front door: out of the books alone, for their own merchant alone."""

import asyncio
import json
import re
from typing import Any

from openapi_spec_validator import validate

from payrail.domain.books import LEDGER_BOOK, OUTBOX_BOOK
from payrail.runtime.cells import CellWriter
from payrail.runtime.house import Tenancy
from tests.actors.booked import TOKEN, captured, created, pi, started
from tests.actors.doors import AT, book, open_door


async def test_a_read_sees_what_was_just_booked(tmp_path):
    """A payment is found as soon as its entry is in the book, without asking the gateway."""
    async with open_door(tmp_path) as door:
        assert (await door.ask("GET", f"/payment-intents/{pi(1)}"))[0] == 404
        end = book(tmp_path, LEDGER_BOOK, captured(pi(1)))
        status, _, payment = await door.ask("GET", f"/payment-intents/{pi(1)}")
        assert (status, payment["state"], payment["amount_captured"]) == (200, "captured", 1000)
        assert payment["captures"][0]["id"] == "cap_1"
        book(tmp_path, LEDGER_BOOK, [created(pi(2))], *end)
        assert (await door.ask("GET", f"/payment-intents/{pi(2)}"))[2]["state"] == "created"
        assert door.gateway.asked == []


async def test_a_torn_tail_is_left_for_later(tmp_path):
    """Half a line in the book is not read and stops nobody."""
    book(tmp_path, LEDGER_BOOK, [created(pi(1))])
    with (tmp_path / LEDGER_BOOK).open("ab") as file:
        file.write(b'{"seq":2,"event_id":"evt')
    async with open_door(tmp_path) as door:
        assert (await door.ask("GET", f"/payment-intents/{pi(1)}"))[0] == 200


async def test_a_line_that_is_torn_behind_our_back_is_damage_too(tmp_path):
    """A payment whose lines read well before is 503 `file-damaged` when they read no more, and not
    a fault of ours."""
    book(tmp_path, LEDGER_BOOK, [created(pi(1))])
    async with open_door(tmp_path) as door:
        assert (await door.ask("GET", f"/payment-intents/{pi(1)}"))[0] == 200
        size = (tmp_path / LEDGER_BOOK).stat().st_size
        (tmp_path / LEDGER_BOOK).write_bytes(bytes(size - 1) + b"\n")
        status, _, problem = await door.ask("GET", f"/payment-intents/{pi(1)}")
        assert (status, problem["code"]) == (503, "file-damaged")


async def test_another_merchants_payment_is_an_unknown_one(tmp_path):
    """The same 404 in every word for another merchant's id as for one that never was."""
    book(tmp_path, LEDGER_BOOK, [created(pi(1))])
    async with open_door(tmp_path) as door:
        for path in ("/payment-intents/", "/ledger/"):
            told = []
            for about in (pi(1), pi(9)):
                other = door.key("admin", "m_002")
                status, _, problem = await door.ask("GET", path + about, key=other)
                assert (status, problem.pop("code")) == (404, "not-found")
                del problem["correlation_id"]
                told.append(problem)
            assert told[0] == told[1]
        status, _, _ = await door.ask("GET", f"/payment-intents/{pi(1)}", key=door.service)
        assert status == 200


async def test_lists_are_filtered_and_paged_newest_first(tmp_path):
    """Filters and pages hold together, and a merchant sees its own payments alone."""
    records = [created(pi(n), currency="EUR" if n % 2 else "USD") for n in range(1, 8)]
    records += [created(pi(8), merchant="m_002"), started(pi(4))]
    book(tmp_path, LEDGER_BOOK, records)
    async with open_door(tmp_path) as door:
        seen: list[str] = []
        path: str | None = "/payment-intents?limit=3"
        while path:
            _, _, page = await door.ask("GET", path)
            seen += [payment["id"] for payment in page["data"]]
            cursor = page["next_cursor"]
            assert page["has_more"] == (cursor is not None)
            path = f"/payment-intents?limit=3&cursor={cursor}" if cursor else None
        assert seen == [pi(n) for n in range(7, 0, -1)]
        _, _, page = await door.ask("GET", "/payment-intents?currency=EUR")
        assert [payment["id"] for payment in page["data"]] == [pi(7), pi(5), pi(3), pi(1)]
        _, _, page = await door.ask("GET", "/payment-intents?state=processing&provider=provider-a")
        assert [payment["id"] for payment in page["data"]] == [pi(4)]
        for bad in ("limit=0", "limit=x", "limit=101", "cursor=-1", "state=lost"):
            status, _, _ = await door.ask("GET", f"/payment-intents?{bad}")
            assert status == 422, bad


async def test_the_ledger_shows_the_lines_of_the_book(tmp_path):
    """Entries in order, as they stand in the file, with the state that they make."""
    book(tmp_path, LEDGER_BOOK, [*captured(pi(1)), created(pi(2))])
    async with open_door(tmp_path) as door:
        _, _, ledger = await door.ask("GET", f"/ledger/{pi(1)}", key=door.key("auditor"))
        lines = [json.loads(line) for line in (tmp_path / LEDGER_BOOK).read_text().splitlines()]
        assert ledger["entries"] == lines[:5]
        assert ledger["state"] == "captured"


async def test_balances_show_what_is_owed_as_positive(tmp_path):
    """A merchant sees its own accounts, liabilities with their sign turned; the house sees all."""
    book(tmp_path, LEDGER_BOOK, captured(pi(1)))
    async with open_door(tmp_path) as door:
        _, _, page = await door.ask("GET", "/balances")
        row = {"account": "liability:m_001:pending", "currency": "USD", "amount": 1000}
        assert page["data"] == [row]
        _, _, page = await door.ask("GET", "/balances", key=door.key("viewer", "m_002"))
        assert page["data"] == []
        _, _, page = await door.ask("GET", "/balances", key=door.service)
        assert [line["amount"] for line in page["data"]] == [1000, 1000]


async def test_events_can_be_asked_for_by_type_and_family(tmp_path):
    """What no event is ever of is 422: a slip of the pen is not an empty list."""
    types = ("payment.created", "fee.charged", "payment.captured")
    events: list[dict[str, Any]] = [
        {"id": f"evt_{n}", "type": name, "merchant_id": "m_001", "data": {}}
        for n, name in enumerate(types, 1)
    ]
    book(tmp_path, OUTBOX_BOOK, events)
    async with open_door(tmp_path) as door:
        for asked, expected in (("fee.charged", ["evt_2"]), ("payment.*", ["evt_1", "evt_3"])):
            _, _, page = await door.ask("GET", f"/events?type={asked}")
            assert [event["id"] for event in page["data"]] == expected
        for asked in ("pay", "payment.", "payment.nope", "*", ""):
            status, _, problem = await door.ask("GET", f"/events?type={asked}")
            assert (status, problem["errors"][0]["field"]) == (422, "type"), asked


async def test_events_go_on_where_the_last_page_ended(tmp_path):
    """Events after a place, without the chain's links; another merchant's are not there."""
    events: list[dict[str, Any]] = [
        {"id": f"evt_{n}", "type": "payment.created", "merchant_id": merchant, "data": {}}
        for n, merchant in enumerate(("m_001", "m_002", None, "m_001"), 1)
    ]
    book(tmp_path, OUTBOX_BOOK, events)
    async with open_door(tmp_path) as door:
        _, _, page = await door.ask("GET", "/events?limit=2")
        assert [event["id"] for event in page["data"]] == ["evt_1", "evt_3"]
        assert "hash" not in page["data"][0]
        assert "prev" not in page["data"][0]
        _, _, page = await door.ask("GET", f"/events?after={page['next_cursor']}")
        assert [event["id"] for event in page["data"]] == ["evt_4"]
        _, _, page = await door.ask("GET", "/events?after=evt_3")
        assert [event["seq"] for event in page["data"]] == [4]
        for unknown in ("evt_9", "evt_2"):  # the second is another merchant's
            assert (await door.ask("GET", f"/events?after={unknown}"))[0] == 404


async def test_a_publishable_key_reads_nothing(tmp_path):
    """A key that stands in a web page opens no book."""
    async with open_door(tmp_path) as door:
        for path in ("/payment-intents", "/events", "/balances", "/providers", f"/ledger/{pi(1)}"):
            status, _, _ = await door.ask("GET", path, key=door.key("publishable"))
            assert status == 403, path


async def test_an_open_provider_call_is_202_when_the_budget_is_over(tmp_path):
    """The client gets the payment as it stands, also when it was its creation that timed out."""
    book(tmp_path, LEDGER_BOOK, [created(pi(1), key="mine"), started(pi(1)), created(pi(2))])
    async with open_door(tmp_path, gateway=lambda _: None, budget_ms=50) as door:
        path = f"/payment-intents/{pi(1)}/authorize"
        status, _, payment = await door.ask("POST", path, Idempotency_Key="k")
        assert (status, payment["state"]) == (202, "processing")
        body = {"amount": 1000, "currency": "USD", "payment_method": TOKEN, "confirm": True}
        status, _, payment = await door.ask(
            "POST", "/payment-intents", body, Idempotency_Key="mine"
        )
        assert (status, payment["id"]) == (202, pi(1))
        path = f"/payment-intents/{pi(2)}/authorize"
        assert (await door.ask("POST", path, Idempotency_Key="k"))[0] == 504


async def test_an_open_call_of_another_order_is_504_when_the_budget_is_over(tmp_path):
    """202 would say that this order had been taken: a cancel beside an open authorization was not,
    and the key of an earlier create with another body has made nothing."""
    book(tmp_path, LEDGER_BOOK, [created(pi(1), key="mine"), started(pi(1))])
    async with open_door(tmp_path, gateway=lambda _: None, budget_ms=50) as door:
        path = f"/payment-intents/{pi(1)}/cancel"
        assert (await door.ask("POST", path, Idempotency_Key="k"))[0] == 504
        body = {"amount": 999, "currency": "USD", "payment_method": TOKEN, "confirm": True}
        answer = await door.ask("POST", "/payment-intents", body, Idempotency_Key="mine")
        assert answer[0] == 504


async def test_a_revoked_key_stops_at_once(tmp_path):
    """The access book is caught up with before a key is believed."""
    async with open_door(tmp_path) as door:
        assert (await door.ask("GET", "/events"))[0] == 200
        lines = (tmp_path / "data/access/changes.jsonl").read_bytes().splitlines()
        last = json.loads(lines[-1])
        revoked = {"type": "key.revoked", "key_id": "m001admin", "at": AT}
        book(tmp_path, "data/access/changes.jsonl", [revoked], last["seq"], last["hash"])
        assert (await door.ask("GET", "/events"))[0] == 401
        assert (await door.ask("GET", "/events", key=door.key("viewer")))[0] == 200


async def test_the_document_is_valid_and_complete(tmp_path):
    """/openapi.json is OpenAPI 3.1, and every operation that it lists exists."""
    async with open_door(tmp_path) as door:
        status, _, document = await door.ask("GET", "/openapi.json", key="")
        assert (status, document["openapi"]) == (200, "3.1.0")
        validate(document)
        for path in ("/payment-intents/{id}/capture", "/actors/{name}/kill", "/ready", "/events"):
            assert path in document["paths"]
        create = document["paths"]["/payment-intents"]["post"]
        assert "Idempotency-Key" in [parameter["name"] for parameter in create["parameters"]]
        for path, operations in document["paths"].items():
            for method in operations:
                real = re.sub(r"\{[a-z]+\}", "x", path)
                status, _, body = await door.ask(method.upper(), real, key="")
                known = 404 if path == "/challenges/{id}" else 401  # its id is its key
                assert status in (200, known, 503), (method, path, body)


async def test_the_page_needs_no_other_host(tmp_path):
    """/docs lists the operations and names no address beyond this one."""
    async with open_door(tmp_path) as door:
        status, headers, page = await door.ask("GET", "/docs", key="")
        assert (status, "://" in page) == (200, False)
        assert headers["Content-Type"].startswith("text/html")
        assert "/payment-intents/{id}/capture" in page


async def test_unknown_paths_and_methods_are_problems(tmp_path):
    """404 and 405 are problem+json with a correlation id; 405 tells what is allowed."""
    async with open_door(tmp_path) as door:
        status, headers, problem = await door.ask("GET", "/nothing", key="")
        assert (status, problem["code"]) == (404, "not-found")
        assert problem["correlation_id"] == headers["X-Correlation-Id"]
        status, headers, problem = await door.ask("DELETE", "/payment-intents", key="")
        assert (status, problem["code"]) == (405, "method-not-allowed")
        assert {"GET", "POST"} <= {method.strip() for method in headers["Allow"].split(",")}


async def test_health_names_who_does_not_serve(tmp_path):
    """/health always answers with every actor; /ready is 503 and says for whom it waits."""
    tenancy = Tenancy(tmp_path, ["frontdoor"])
    async with open_door(tmp_path) as door:
        status, _, health = await door.ask("GET", "/health", key="")
        rows = {row["name"]: row for row in health["actors"]}
        assert (status, health["status"]) == (200, "degraded")
        assert rows["frontdoor"]["state"] == "serving"
        assert set(rows["gateway"]) == {"name", "state", "epoch", "restarts", "backlog"}
        status, headers, problem = await door.ask("GET", "/ready", key="")
        assert (status, headers["Retry-After"]) == (503, "1")
        assert set(problem["waiting_for"]) == {"gateway", "provider-a"}
    tenancy.release()


async def test_orders_to_actors_are_lines_for_their_supervisor(tmp_path):
    """An admin's order is one line in the actor's control file; others and other names get none."""
    async with open_door(tmp_path) as door:
        status, _, order = await door.ask("POST", "/actors/gateway/restart")
        assert (status, order["actor"], order["verb"]) == (202, "gateway", "restart")
        line = json.loads((tmp_path / "mailboxes/gateway/control.jsonl").read_text())
        assert line["verb"] == "restart"
        assert (await door.ask("POST", "/actors/nobody/kill"))[0] == 404
        assert (await door.ask("POST", "/actors/gateway/explode"))[0] == 404
        operator = door.key("operator")
        assert (await door.ask("POST", "/actors/gateway/kill", key=operator))[0] == 403


async def test_a_mailbox_is_shown_without_bodies(tmp_path):
    """Who wrote what kind when, and nothing of what it says."""
    async with open_door(tmp_path) as door:
        await door.ask("POST", f"/payment-intents/{pi(1)}/cancel", Idempotency_Key="secret-key")
        async with asyncio.timeout(5):
            while not door.gateway.asked:
                await asyncio.sleep(0.005)
        with (tmp_path / "mailboxes/gateway/frontdoor.jsonl").open("ab") as rotten:
            rotten.write(b'{"kind":"\xd4"}\n')
        _, _, mailbox = await door.ask("GET", "/actors/gateway/mailbox")
        (spool,) = mailbox["spools"]
        assert spool["sender"] == "frontdoor"
        assert spool["newest"][0]["kind"] == "payment.cancel"
        assert "secret-key" not in json.dumps(mailbox)


async def test_a_provider_is_shown_by_either_name(tmp_path):
    """Both spellings; its breaker as the gateway wrote it down, CLOSED before it did."""
    async with open_door(tmp_path) as door:
        for name in ("providerA", "provider-a"):
            _, _, provider = await door.ask("GET", f"/providers/{name}")
            assert (provider["id"], provider["breaker"]["state"]) == ("providerA", "CLOSED")
        state = {"provider": "providerA", "health": "down", "breaker": {"state": "OPEN"}}
        (tmp_path / "data/providers").mkdir(parents=True)
        (tmp_path / "data/providers/providerA_state.json").write_text(json.dumps(state))
        _, _, page = await door.ask("GET", "/providers")
        assert page["data"][0]["breaker"]["state"] == "OPEN"
        (tmp_path / "data/providers/providerA_state.json").write_bytes(b'{"health":"\xd4"}')
        _, _, page = await door.ask("GET", "/providers")
        assert page["data"][0]["breaker"]["state"] == "CLOSED"  # A spoilt view tells nothing.
        assert (await door.ask("GET", "/providers/provider-b"))[0] == 404


async def test_metrics_count_by_route(tmp_path):
    """Routes as they are written down, never paths as they were sent."""
    async with open_door(tmp_path) as door:
        await door.ask("GET", f"/payment-intents/{pi(1)}")
        _, _, text = await door.ask("GET", "/metrics", key="")
        labels = 'method="GET",route="/payment-intents/{id}",status="404"'
        assert f"payrail_http_requests_total{{{labels}}} 1" in text
        assert pi(1) not in text


async def test_a_damaged_book_stops_reads_and_not_orders(tmp_path):
    """A flipped byte in the ledger is damage for readers, but for a gateway that still starts and
    may mend it; the door stays and asks the gateway. A schedule of `payrail simulate` read a book
    that a power cut had torn, and was told that it was our fault."""
    book(tmp_path, LEDGER_BOOK, [created(pi(1)), created(pi(2))])
    path = tmp_path / LEDGER_BOOK
    path.write_bytes(path.read_bytes().replace(b"visa", b"vise", 1))
    gateway = CellWriter(tmp_path, "gateway")
    async with open_door(tmp_path, whole=False) as door:
        status, headers, problem = await door.ask("GET", f"/payment-intents/{pi(1)}")
        assert (status, problem["code"], headers["Retry-After"]) == (503, "actor-restarting", "1")
        gateway.serve()
        status, _, problem = await door.ask("GET", f"/payment-intents/{pi(1)}")
        assert (status, problem["code"]) == (503, "file-damaged")
        path = f"/payment-intents/{pi(1)}/cancel"
        assert (await door.ask("POST", path, Idempotency_Key="k"))[0] == 200


async def test_a_filter_that_is_not_there_is_refused(tmp_path):
    """An unfiltered list that looks filtered would be believed."""
    async with open_door(tmp_path) as door:
        for name in ("mail", "amount", "at"):
            status, _, problem = await door.ask("GET", f"/payment-intents?{name}=1")
            assert (status, problem["errors"][0]["field"]) == (422, name)
