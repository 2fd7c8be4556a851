"""Orders at the front door, over real HTTP: what is refused there, and what reaches the gateway."""

import asyncio
import hashlib
import json

import msgspec
import pytest

from payrail.domain.books import LEDGER_BOOK
from payrail.domain.messages import CapturePayment, CreatePayment
from payrail.runtime.cells import CellWriter
from payrail.storage.lines import encode
from payrail.storage.strict import canonical
from tests.actors.doors import INTERNAL, echo, open_door
from tests.actors.ordered import GOOD, PI, create


async def test_an_order_reaches_the_gateway_with_its_asker(tmp_path):
    """The gateway is told merchant, user, role, key and a hash of method, path and body."""
    async with open_door(tmp_path) as door:
        status, headers, _ = await create(door, GOOD, X_Correlation_Id="cor_mine")
        assert status == 200
        assert headers["X-Correlation-Id"] == "cor_mine"
        (asked,) = door.gateway.asked
        order = msgspec.json.decode(asked.body, type=CreatePayment)
        assert (asked.kind, asked.correlation_id) == ("payment.create", "cor_mine")
        assert (order.merchant_id, order.user_id) == ("m_001", "usr_m001_admin")
        assert (order.role, order.idempotency_key, order.amount) == ("admin", "k1", 1099)
        assert order.fields == GOOD
        expected = b"POST\n/payment-intents\n" + canonical(GOOD)
        assert order.request_hash == hashlib.sha256(expected).hexdigest()


async def test_the_answer_is_passed_on_untouched(tmp_path):
    """Status, headers and bytes of the gateway's answer arrive as they were written."""
    body = b'{"code": "card-declined" ,"x":1}'

    def declines(_envelope):
        return 402, {"Idempotent-Replayed": "true", "Retry-After": "1"}, body

    async with (
        open_door(tmp_path, gateway=declines) as door,
        door.session.post(
            door.url(f"/payment-intents/{PI}/authorize"),
            headers={"Authorization": f"Bearer {door.key()}", "Idempotency-Key": "k"},
        ) as answer,
    ):
        assert answer.status == 402
        assert answer.headers["Idempotent-Replayed"] == "true"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert await answer.read() == body


@pytest.mark.parametrize("verb", ["authorize", "capture", "cancel"])
async def test_a_verb_names_its_payment(tmp_path, verb):
    """Authorize, capture and cancel take an empty body and name the payment of the path."""
    async with open_door(tmp_path) as door:
        status, _, body = await door.ask(
            "POST", f"/payment-intents/{PI}/{verb}", Idempotency_Key="k"
        )
        assert status == 200
        assert (body["kind"], body["order"]["id"]) == (f"payment.{verb}", PI)
        status, _, _ = await door.ask(
            "POST", f"/payment-intents/{PI}/{verb}", {}, Idempotency_Key="k"
        )
        assert status == 200


async def test_a_capture_carries_its_amount(tmp_path):
    """A partial capture reaches the gateway with amount and finality as given."""
    async with open_door(tmp_path) as door:
        given = {"amount": 300, "final_capture": False}
        path = f"/payment-intents/{PI}/capture"
        await door.ask("POST", path, given, Idempotency_Key="k")
        order = msgspec.json.decode(door.gateway.asked[0].body, type=CapturePayment)
        assert (order.amount, order.final_capture, order.fields) == (300, False, given)


@pytest.mark.parametrize(
    "given", ["k", '"k"', "k" * 255, "a b", "8e03978e-40d5-43e8-bc93-6894a57f9324"]
)
async def test_an_idempotency_key_is_bare_or_quoted(tmp_path, given):
    """Both spellings reach the gateway as the same key."""
    async with open_door(tmp_path) as door:
        status, _, body = await create(door, GOOD, Idempotency_Key=given)
        assert status == 200
        assert body["order"]["idempotency_key"] == given.strip('"')


@pytest.mark.parametrize("given", ["k" * 256, '"k', '""', "schlüssel", "4242424242424242"])
async def test_a_bad_idempotency_key_is_refused(tmp_path, given):
    """Too long, half quoted, empty, not ASCII or a card number: 400, and nothing is asked."""
    async with open_door(tmp_path) as door:
        status, _, problem = await create(door, GOOD, Idempotency_Key=given)
        assert (status, problem["code"]) == (400, "idempotency-key-invalid")
        assert door.gateway.asked == []


async def test_a_missing_idempotency_key_comes_before_the_body(tmp_path):
    """400 idempotency-key-missing, also when the body is no JSON at all."""
    async with open_door(tmp_path) as door:
        for raw in (b"{", json.dumps(GOOD).encode()):
            status, _, problem = await door.ask("POST", "/payment-intents", raw=raw)
            assert (status, problem["code"]) == (400, "idempotency-key-missing")


@pytest.mark.parametrize("role", ["viewer", "auditor", "approver", "publishable"])
async def test_roles_that_may_not_pay(tmp_path, role):
    """Who only looks, approves or tokenizes may not move money: 403 before all else."""
    async with open_door(tmp_path) as door:
        status, _, problem = await door.ask("POST", "/payment-intents", raw=b"", key=door.key(role))
        assert (status, problem["code"]) == (403, "forbidden")


async def test_without_a_good_key_nobody_is_known(tmp_path):
    """No key, a wrong one, another kind's: 401, told in the same words."""
    async with open_door(tmp_path) as door:
        good = door.key()
        swapped = good.replace("sk_", "pk_")
        for key in ("", "nonsense", good[:-1] + ("0" if good[-1] != "0" else "1"), swapped):
            status, headers, problem = await create(door, GOOD, key=key)
            assert (status, problem["code"]) == (401, "unauthenticated")
            assert headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_service_key_names_its_merchant(tmp_path):
    """Without X-Merchant-Id an order of the house is 422; with it, it is that merchant's."""
    async with open_door(tmp_path) as door:
        status, _, problem = await create(door, GOOD, key=door.service)
        assert (status, problem["errors"][0]["field"]) == (422, "X-Merchant-Id")
        status, _, body = await create(
            door, GOOD, key=door.service, X_Merchant_Id="m_002", X_Role="operator", X_User="ada"
        )
        order = body["order"]
        assert (status, order["merchant_id"]) == (200, "m_002")
        assert (order["user_id"], order["role"]) == ("ada", "operator")
        status, _, _ = await create(door, GOOD, key=door.service, X_Merchant_Id="m_999")
        assert status == 422


@pytest.mark.parametrize("header", ["X_Merchant_Id", "X_Role", "X_User"])
async def test_only_the_service_key_acts_for_others(tmp_path, header):
    """From any other key these headers are 403, even with the key's own values."""
    async with open_door(tmp_path) as door:
        status, _, problem = await create(door, GOOD, **{header: "m_001"})
        assert (status, problem["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "bad", ["..%2F..%2Fetc", "pi_", "pi_AAAAAAAAAAAAAAAA", "pi_aaaa", "%00", "pi_" + "a" * 17]
)
async def test_an_id_that_cannot_be_is_not_found(tmp_path, bad):
    """Such a path is 404 and asks nobody."""
    async with open_door(tmp_path) as door:
        status, _, problem = await door.ask(
            "POST", f"/payment-intents/{bad}/authorize", Idempotency_Key="k"
        )
        assert status in (400, 404)
        assert "code" in problem
        assert door.gateway.asked == []


async def test_silence_of_the_gateway_is_504(tmp_path):
    """Past the budget the client hears that it may still happen."""
    async with open_door(tmp_path, gateway=lambda _: None, budget_ms=100) as door:
        status, headers, problem = await create(door, GOOD)
        assert (status, problem["retryable"]) == (504, True)
        assert headers["Retry-After"] == "1"


async def test_silence_over_a_torn_book_is_504_too(tmp_path):
    """A ledger that a power cut has torn takes nothing from an order's answer: it may still
    happen. A schedule of `payrail simulate` was answered 500 here, once in 600."""
    async with open_door(tmp_path, gateway=lambda _: None, budget_ms=100) as door:
        (tmp_path / LEDGER_BOOK).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / LEDGER_BOOK).write_bytes(b'{"seq":1,"torn":"\0\0\0\0"}\n')
        status, headers, problem = await create(door, GOOD)
        assert (status, problem["retryable"]) == (504, True)
        assert headers["Retry-After"] == "1"


async def test_a_paused_door_says_that_nothing_was_written(tmp_path):
    """503 while paused, and the gateway's mailbox stays as it was."""
    async with open_door(tmp_path) as door:
        door.control.pause(True)
        async with asyncio.timeout(5):
            while (await create(door, GOOD))[0] != 503:
                pass
        before = len(door.gateway.asked)
        status, _, problem = await create(door, GOOD)
        assert (status, problem["code"]) == (503, "actor-restarting")
        assert len(door.gateway.asked) == before


async def test_a_stopping_door_answers_who_waits(tmp_path):
    """A question that is open when the house stops is still answered when the answer comes."""
    held = []

    def late(envelope):
        held.append(envelope)

    async with open_door(tmp_path, gateway=late, budget_ms=10_000) as door:
        asking = asyncio.create_task(create(door, GOOD))
        while not held:
            await asyncio.sleep(0.005)
        door.control.stop()
        door.gateway._reply(held[0], 201, {}, encode({"id": PI}))
        status, _, body = await asyncio.wait_for(asking, 5)
        assert (status, body["id"]) == (201, PI)


async def test_a_fault_rule_reaches_its_provider(tmp_path):
    """An admin injects by either spelling; others may not; the inner door needs its secret."""
    async with open_door(tmp_path, provider=echo) as door:
        rule = {"operation": "*", "do": "down", "probability": 0.5}
        for name in ("providerA", "provider-a"):
            path = f"/providers/{name}/inject-failure"
            status, _, body = await door.ask("POST", path, rule)
            assert (status, body["order"]["rule"]) == (200, rule)
            status, _, _ = await door.ask("POST", path, rule, key=door.key("operator"))
            assert status == 403
            status, _, _ = await door.ask("POST", path, rule, key=INTERNAL, inner=True)
            assert status == 200
            status, _, _ = await door.ask("POST", path, rule, inner=True)
            assert status == 401
        status, _, _ = await door.ask("POST", "/providers/providerZ/inject-failure", rule)
        assert status == 404


async def test_an_order_for_a_gateway_that_cannot_write_is_503_and_is_not_written(tmp_path):
    """Its cell says that a book of its takes nothing: nobody is answered before that is over."""
    cell = CellWriter(tmp_path, "gateway")
    async with open_door(tmp_path) as door:
        cell.state = "blocked"
        async with asyncio.timeout(5):
            while (answer := await create(door, GOOD))[0] != 503:
                pass
        asked = len(door.gateway.asked)
        assert (answer[1]["Retry-After"], answer[2]["code"]) == ("1", "overloaded")
        assert (await create(door, GOOD))[0] == 503
        assert len(door.gateway.asked) == asked
        cell.state = "serving"
        async with asyncio.timeout(5):
            while (await create(door, GOOD))[0] != 200:
                pass
