"""One key of one merchant means one effect and one answer, whatever comes between."""

from typing import Any

import pytest

from actors.simulation.house import SimHouse, authorized, open_house
from actors.simulation.orders import authorize, cancel, capture, create, drill
from payrail.domain.messages import ReplyLine
from tests.actors.gatewaydesk import TOKEN, Desk

DAY_MS = 24 * 3_600_000
REPLAYED = {"Idempotent-Replayed": "true"}


@pytest.fixture
def shop() -> tuple[SimHouse, str]:
    return open_house()


def last(house: SimHouse, re: str) -> ReplyLine:
    return house.replies[re][-1]


def same(first: ReplyLine, second: ReplyLine) -> bool:
    return (first.status, bytes(first.body)) == (second.status, bytes(second.body))


def restart(house: SimHouse) -> None:
    house.start("gateway")
    house.run()


def test_the_same_key_gives_the_same_bytes(shop: tuple[SimHouse, str]):
    """Also after a restart; the payment was created once, and the header says what it is."""
    house, token = shop
    house.say(create(token), "1")
    house.say(create(token), "2")
    restart(house)
    house.say(create(token), "3")

    assert (last(house, "1").status, last(house, "1").headers) == (201, {})
    for re in ("2", "3"):
        assert same(last(house, "1"), last(house, re))
        assert last(house, re).headers == REPLAYED
    assert [entry["type"] for entry in house.entries] == ["payment.created"]


def test_a_double_click_on_authorize_charges_once(shop: tuple[SimHouse, str]):
    """Both in one batch: one waits, the other is told to; then both have the same answer."""
    house, token = shop
    _, payment = house.say(create(token), "c")
    house.put(authorize(payment["id"]), "1")
    house.put(authorize(payment["id"]), "2")
    house.run()
    house.say(authorize(payment["id"]), "3")

    status, problem = house.answer("2")
    assert (status, problem["code"], problem["retryable"]) == (409, "idempotency-in-flight", True)
    assert last(house, "2").headers == {"Retry-After": "1"}
    assert same(last(house, "1"), last(house, "3"))
    assert len(house.truths) == 1


def test_another_body_under_the_same_key_is_told_what_differs(shop: tuple[SimHouse, str]):
    """422, field by field; the first answer stands, also after a restart."""
    house, token = shop
    house.say(create(token), "1")
    restart(house)
    status, problem = house.say(create(token, amount=1100), "2")
    house.say(create(token), "3")

    assert (status, problem["code"]) == (422, "idempotency-key-reused")
    assert problem["diff"] == [{"field": "amount", "first": 1099, "now": 1100}]
    assert same(last(house, "1"), last(house, "3"))


def test_a_key_cannot_be_used_for_another_payment(shop: tuple[SimHouse, str]):
    """The path belongs to the request; another merchant's same key does not."""
    house, token = shop
    first, second = (house.say(create(token, f"k{n}"), f"c{n}")[1]["id"] for n in (1, 2))
    house.say(cancel(first, "k"), "1")
    status, problem = house.say(cancel(second, "k"), "2")
    foreign, _ = house.say(cancel(second, "k", merchant="m_002"), "3")
    path = {"field": "path", "first": f"/{first}/cancel", "now": f"/{second}/cancel"}

    assert (status, problem["code"]) == (422, "idempotency-key-reused")
    assert problem["diff"] == [path]
    assert foreign == 404


def test_a_doubtful_answer_is_provisional_until_it_is_final(shop: tuple[SimHouse, str]):
    """202 as often as asked, with how things stand; then the final answer, for good."""
    house, token = shop
    house.drill(drill("approve_then_hang"))
    _, payment = house.say(create(token), "c")
    pay = authorize(payment["id"])
    house.put(pay, "1")
    house.run()
    house.clock.advance_ms(5_000)
    house.run(without=["provider-a"])
    status, shown = house.answer("1")
    house.put(pay, "2")
    house.run(without=["provider-a"])
    again, _ = house.answer("2")
    house.run()
    final, body = house.say(pay, "3")
    restart(house)
    house.say(pay, "4")

    assert (status, shown["state"], again) == (202, "unknown", 202)
    assert (final, body["state"], last(house, "3").headers) == (200, "authorized", REPLAYED)
    assert same(last(house, "3"), last(house, "4"))
    assert len(house.truths) == 1


def test_a_doubtful_answer_may_end_as_a_decline(shop: tuple[SimHouse, str]):
    """202, then 402 for good, with the correlation id of the request that it answers."""
    house, token = shop
    house.drill(drill("slow:20000"))
    house.put(create(token, "k", confirm=True), "1")
    house.run()
    house.wait(5_000)
    status, problem = house.say(create(token, "k", confirm=True), "2")

    assert [reply.status for reply in house.replies["1"]] == [202, 402]
    assert (status, problem["decline_code"]) == (402, "processing_error")
    assert problem["correlation_id"] == "cor_1"


def test_a_decline_is_an_answer_that_is_kept(shop: tuple[SimHouse, str]):
    """402, byte for byte."""
    house, token = shop
    house.drill(drill("decline:do_not_honor"))
    house.say(create(token, "k", confirm=True), "1")
    house.say(create(token, "k", confirm=True), "2")

    assert (last(house, "1").status, last(house, "2").headers) == (402, REPLAYED)
    assert same(last(house, "1"), last(house, "2"))


def test_a_validation_refusal_is_as_if_it_had_never_been(shop: tuple[SimHouse, str]):
    """The key is free for the corrected request."""
    house, token = shop
    refused, _ = house.say(create("tok_none", "k"), "1")
    unknown, _ = house.say(capture("pi_none", "k"), "2")
    status, _ = house.say(create(token, "k"), "3")

    assert (refused, unknown, status) == (422, 404, 201)
    assert last(house, "3").headers == {}


def test_a_refusal_by_the_state_machine_is_kept(shop: tuple[SimHouse, str]):
    """409 byte for byte, although it would be allowed by now."""
    house, token = shop
    _, payment = house.say(create(token), "c")
    house.say(capture(payment["id"], "k"), "1")
    house.say(authorize(payment["id"]), "a")
    house.say(capture(payment["id"], "k"), "2")

    assert house.answer("1")[1]["code"] == "illegal-transition"
    assert (last(house, "2").status, last(house, "2").headers) == (409, REPLAYED)
    assert same(last(house, "1"), last(house, "2"))


def test_a_refusal_that_is_worth_a_retry_is_not_kept(shop: tuple[SimHouse, str]):
    """In doubt: 409; decided afterwards under the same key."""
    house, token = shop
    payment_id = authorized(house, token)
    house.put(capture(payment_id, amount=500, final_capture=False), "1")
    house.run(without=["provider-a"])
    house.put(cancel(payment_id, "k"), "2")
    house.run(without=["provider-a"])
    house.run()

    assert house.answer("2")[0] == 409
    assert house.say(cancel(payment_id, "k"), "3")[0] == 200


def replies_now(house: SimHouse, re: str) -> list[dict[str, Any]]:
    return [line for line in house.lines("mailboxes/frontdoor/gateway.jsonl") if line["re"] == re]


def test_asked_again_by_name_is_answered_again_and_not_decided_again(shop: tuple[SimHouse, str]):
    """The front door repeats an open question when the gateway is reborn: the same answer, and
    it is no replay for whoever still waits."""
    house, token = shop
    for order, re in ((create(token), "1"), (create(token, "k2", confirm=True), "2")):
        house.say(order, re)
        restart(house)
        house.put(order, re)
        house.run()
        first, again = replies_now(house, re)
        assert (first["status"], first["body"]) == (again["status"], again["body"])
        assert again["headers"] == {}
    assert sum(entry["type"] == "payment.created" for entry in house.entries) == 2


def test_asked_again_while_it_is_worked_on_is_answered_once(shop: tuple[SimHouse, str]):
    """Its answer is on its way."""
    house, token = shop
    house.put(create(token, "k", confirm=True), "1")
    house.run(without=["provider-a"])
    house.start("gateway")
    house.put(create(token, "k", confirm=True), "1")
    house.run(without=["provider-a"])
    house.run()

    assert [line["status"] for line in replies_now(house, "1")] == [201]
    assert len(house.truths) == 1


def test_a_key_is_forgotten_a_day_after_its_answer(shop: tuple[SimHouse, str]):
    """Business time: until then the same payment, afterwards a new one."""
    house, token = shop
    first = house.say(create(token), "1")[1]["id"]
    house.clock.advance_business_ms(DAY_MS - 1)
    assert house.say(create(token), "2")[1]["id"] == first
    house.clock.advance_business_ms(1)
    assert house.say(create(token), "3")[1]["id"] != first


def test_a_key_that_was_in_doubt_for_days_keeps_its_answer(shop: tuple[SimHouse, str]):
    """The day counts from the answer: a client that polls is never charged a second time."""
    house, token = shop
    pay = create(token, "k", confirm=True)
    house.put(pay, "1")
    house.run(without=["provider-a"])
    for _ in range(3):
        house.wait(DAY_MS, without=["provider-a"])
        house.put(create(token, f"other{house.clock.now().wire_ms}"), "x")
        house.run(without=["provider-a"])
    house.run()
    status, _ = house.say(pay, "2")

    assert (house.answer("1")[0], status, last(house, "2").headers) == (402, 402, REPLAYED)
    assert [truth["operation"] for truth in house.truths] == []


def test_expired_keys_make_room():
    """The table grows with two days' keys, not with all there ever were: one for the merchant, one
    for the dead letters that they would have answered. Doubt is never pruned."""
    desk = Desk()
    doubtful, _ = desk.attempted()
    for _ in range(40):
        desk.business_ms += DAY_MS // 4
        desk.created()

    assert len(desk.state.keys) <= 10
    assert doubtful in {record.payment_id for record in desk.state.keys.values()}


def test_a_dead_letter_replayed_after_its_key_was_used_does_nothing():
    """The client has asked again meanwhile: a second effect would be a second charge."""
    desk = Desk()
    desk.order(create(TOKEN, "k"))
    kind, body = create(TOKEN, "k")
    step = desk.tell(kind, body, sender="frontdoor")

    assert (step.events, step.posts, step.replies) == ([], [], [])
