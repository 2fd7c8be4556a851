"""The header `PayRail-Fault`: judged at the door, carried with the first call, and no further."""

import json

import msgspec
import pytest

from actors.simulation import orders
from actors.simulation.house import open_house
from payrail.domain.fault_rules import FaultRule
from payrail.domain.fault_wishes import FaultWish, parse_wish
from payrail.domain.messages import ChargeCard, CreatePayment
from payrail.domain.words.providers import ProviderCall
from payrail.errors import RequestError
from tests.actors.doors import INTERNAL, open_door
from tests.actors.gatewaydesk import TOKEN, Desk
from tests.actors.ordered import GOOD, PI, create

B = {"sender": "provider-b", "provider": "providerB"}


def header(**rule):
    return {"PayRail_Fault": json.dumps(rule)}


async def test_a_fault_reaches_the_gateway_beside_the_order(tmp_path):
    """Whole, about the call that the order leads to; the hash of the request is without it."""
    async with open_door(tmp_path) as door:
        plain = await create(door, GOOD)
        status, _, _ = await create(door, GOOD, **header(do="slow:2000", fence=False))
        first, second = (
            msgspec.json.decode(asked.body, type=CreatePayment) for asked in door.gateway.asked
        )
    assert (plain[0], status) == (200, 200)
    assert (first.fault, first.request_hash) == (None, second.request_hash)
    assert second.fault == FaultWish(FaultRule("authorize", "slow:2000", fence=False))


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        (f"/payment-intents/{PI}/authorize", "authorize"),
        (f"/payment-intents/{PI}/capture", "capture"),
        (f"/payment-intents/{PI}/cancel", "reverse"),
        (f"/refunds/re_{'0' * 16}/approve", "refund"),
    ],
)
async def test_a_fault_is_about_the_call_of_its_route(tmp_path, path, operation):
    """Left out or said, the operation is the one that the route leads to, or its notice."""
    async with open_door(tmp_path) as door:
        for rule in (
            {"do": "down"},
            {"do": "down", "operation": operation, "provider": "provider-b"},
        ):
            assert (await door.ask("POST", path, Idempotency_Key="k", **header(**rule)))[0] == 200
        status, _, told = await door.ask(
            "POST", path, Idempotency_Key="k", **header(do="down", operation="status")
        )
        asked = [json.loads(bytes(envelope.body))["fault"] for envelope in door.gateway.asked]
    rule = {"operation": operation, "do": "down"}
    assert asked == [{"rule": rule}, {"rule": rule, "provider": "providerB"}]
    assert (status, [error["field"] for error in told["errors"]]) == (
        422,
        ["PayRail-Fault.operation"],
    )
    assert operation in told["errors"][0]["message"]


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ("", ["PayRail-Fault"]),
        ("down", ["PayRail-Fault"]),
        ("[]", ["PayRail-Fault"]),
        ('{"do":"down","do":"error"}', ["PayRail-Fault"]),
        ('{"do":"' + "x" * 500 + '"}', ["PayRail-Fault"]),
        ("{}", ["PayRail-Fault.do"]),
        ('{"do":"explode"}', ["PayRail-Fault.do"]),
        ('{"do":"settlement_mismatch:fee"}', ["PayRail-Fault.do"]),
        ('{"do":"down","count":1}', ["PayRail-Fault.count"]),
        ('{"do":"slow:x","provider":"providerC"}', ["PayRail-Fault.provider", "PayRail-Fault.do"]),
        ('{"do":"down","fence":1}', ["PayRail-Fault.fence"]),
        ('{"do":"down","4242424242424242":1}', [""]),
    ],
)
async def test_a_header_that_is_no_fault_is_told_so(tmp_path, given, fields):
    """422 with each field and what it must be, never the value; nobody is asked anything."""
    async with open_door(tmp_path) as door:
        status, _, told = await create(door, GOOD, PayRail_Fault=given)
        assert (status, told["code"]) == (422, "validation-error")
        assert [error["field"] for error in told["errors"]] == fields
        assert all(error["message"] for error in told["errors"])
        assert "4242" not in json.dumps(told)
        assert door.gateway.asked == []


async def test_a_fault_is_for_admins_and_operators(tmp_path):
    """An approver may approve, and not make it fail."""
    async with open_door(tmp_path) as door:
        approver, path = door.key("approver"), f"/refunds/re_{'0' * 16}/approve"
        more = {"Idempotency_Key": "k", **header(do="down")}
        status, _, told = await door.ask("POST", path, key=approver, **more)
        assert (status, told["code"]) == (403, "forbidden")
        assert (await door.ask("POST", path, **more))[0] == 200


async def test_the_inner_door_takes_the_header_too(tmp_path):
    """For the provider of the path; meant for another it is left out."""
    charge = {"reference": "pi_1.1", "amount": 1, "currency": "USD", "sealed": "x" * 300}
    async with open_door(tmp_path) as door:
        for provider in ("providerA", "providerB"):
            rule = header(do="reset", provider=provider)
            path = "/providers/provider-a/authorize"
            await door.ask("POST", path, charge, key=INTERNAL, inner=True, **rule)
        first, second = (
            msgspec.json.decode(asked.body, type=ProviderCall) for asked in door.provider.asked
        )
    assert (first.fault, second.fault) == (FaultRule("authorize", "reset"), None)


async def test_the_document_tells_of_the_header(tmp_path):
    """Optional, with an example, on every order that leads to a call, and nowhere else."""
    async with open_door(tmp_path) as door:
        _, _, document = await door.ask("GET", "/openapi.json", key="")
    found = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for one in operation.get("parameters", ())
        if one["name"] == "PayRail-Fault" and not one["required"] and one["schema"]["examples"]
    }
    about = "/payment-intents/{id}"
    verbs = {f"{about}/{verb}" for verb in ("authorize", "capture", "cancel")}
    assert found == {"/payment-intents", *verbs, "/refunds", "/refunds/{id}/approve"}


def wish(do: str, leads_to: str = "authorize", **more) -> FaultWish:
    return parse_wish({"do": do, **more}, leads_to)


def charges(step) -> list[ChargeCard]:
    return [send.body for send in step.out if isinstance(send.body, ChargeCard)]


def test_a_fault_goes_with_the_first_attempt_alone():
    """The second, at the other provider, is a call of its own."""
    desk = Desk()
    step = desk.order(orders.create(TOKEN, confirm=True, fault=wish("down")))
    (first,) = charges(step)
    after = desk.says(first.reference, "refused", code="not_accepted")
    (second,) = charges(after)
    assert first.fault == FaultRule("authorize", "down")
    assert (second.provider, second.fault) == ("providerB", None)


def test_a_capture_that_follows_by_itself_goes_without_the_fault():
    """One header, one call."""
    desk = Desk()
    order = orders.create(TOKEN, confirm=True, capture_method="automatic", fault=wish("slow:1"))
    (charge,) = charges(desk.order(order))
    (send,) = desk.says(charge.reference).out
    assert charge.fault is not None
    assert (charge.fault.do, send.kind, send.body.fault) == ("slow:1", "capture", None)


def test_a_fault_for_another_provider_stays_behind():
    """`provider` limits it to one; a call to the other is as always."""
    desk = Desk()
    order = orders.create(TOKEN, confirm=True, fault=wish("down", provider="providerB"))
    (charge,) = charges(desk.order(order))
    assert (charge.provider, charge.fault) == ("providerA", None)


@pytest.mark.parametrize("verb", ["capture", "cancel"])
def test_a_call_about_a_hold_takes_its_fault_along(verb):
    """Captures and reversals go straight to the provider."""
    desk = Desk()
    payment_id = desk.authorized()
    operation = {"capture": "capture", "cancel": "reverse"}[verb]
    kind, body = getattr(orders, verb)(payment_id)
    body.fault = wish("http:502", operation)
    (send,) = desk.order((kind, body)).out
    assert (send.kind, send.body.fault) == (operation, FaultRule(operation, "http:502"))


def test_a_replay_ignores_its_fault():
    """The same key is the same order, whatever its header says."""
    desk = Desk()
    kind, body = orders.create(TOKEN, "k")
    first = desk.order((kind, body))
    again = desk.order((kind, msgspec.structs.replace(body, fault=wish("down"))))
    assert (again.out, again.replies[0].stored_at, len(first.posts)) == ([], 0, 2)


@pytest.mark.parametrize(
    "given", [{"do": "late_webhook:60"}, {"do": "early_webhook", "operation": "webhook"}]
)
def test_a_fault_of_the_notice_is_about_the_webhook(given):
    """Said or not: what can only be done to a webhook is done to the one that follows the call."""
    assert parse_wish(given, "capture").rule.operation == "webhook"


def test_a_wrong_wish_never_repeats_what_it_holds():
    """A field that is unknown may be anything."""
    with pytest.raises(RequestError) as refused:
        parse_wish({"do": "4242424242424242", "4242424242424242": 1}, "authorize")
    assert "4242" not in str(refused.value.errors)


def test_a_fault_is_logged_once_and_not_again_after_a_restart():
    """Its line follows the step; who recovers from the journal has nothing to tell."""
    house, token = open_house()
    kind, body = orders.create(token, "k", confirm=True)
    house.put((kind, msgspec.structs.replace(body, fault=wish("approve_then_hang"))), "q")
    house.run()
    (told,) = house.drivers["provider-a"].loop.noted
    assert (told[0].event, told[0].fields["do"], told[1]) == (
        "fault.injected",
        "approve_then_hang",
        "cor_q",
    )
    house.start("provider-a")
    house.wait(5_000)
    assert house.drivers["provider-a"].loop.noted == []
    assert [line["fault"] for line in house.truths] == ["approve_then_hang"]
