"""Which cards the gateway knows: those that the vault has told of, until it tells of their end."""

import pytest

from actors.simulation.orders import authorize, create
from payrail.domain.messages import CardRefused
from payrail.domain.words.cards import CardForgotten
from tests.actors.gatewaydesk import TOKEN, Desk, answer


def forgets(desk: Desk, token: str = TOKEN):
    return desk.tell("card.forgotten", CardForgotten(token), sender="vault")


def test_a_deleted_card_buys_nothing_new():
    """A token that the vault has deleted is unknown; other cards are not touched."""
    desk = Desk()
    forgets(desk)

    refusal = desk.refused(create(TOKEN, "after"))
    assert (refusal.status, refusal.code) == (422, "unknown-token")
    assert list(desk.state.cards) == list(desk.replayed().cards) == ["tok_2"]


def test_a_payment_stays_what_it_was_when_its_card_is_deleted():
    """What was asked before is answered again as it was, and a hold can still be captured."""
    desk = Desk()
    payment_id, _ = desk.attempted()
    desk.says(f"{payment_id}.1")
    forgets(desk)

    again = desk.order(create(TOKEN, "desk_2", confirm=True))
    assert again.replies[0].stored_at is not None
    assert desk.state.payments[payment_id].state == "authorized"


def test_to_forget_a_card_twice_is_once():
    """A line that is sent again leaves no fact."""
    desk = Desk()
    forgets(desk)

    assert forgets(desk).events == []


@pytest.mark.parametrize("code", ["token_used", "expired_token", "unknown_token"])
def test_a_token_that_has_ended_declines_the_payment(code: str):
    """402 with the vault's word for it: no provider heard of the charge, and none is tried next."""
    desk = Desk()
    payment_id = desk.created()
    desk.order(authorize(payment_id), "1.9")
    refused = CardRefused(payment_id, f"{payment_id}.1", code)
    step = desk.tell("card.refused", refused, sender="vault")
    status, body = answer(step)

    assert (status, body["code"], body["decline_code"]) == (402, "card-declined", code)
    assert body["payment_intent"]["state"] == "declined"
    assert body["detail"].startswith("the vault did not hand out this card")
    assert "bank" not in body["payment_intent"]["attempts"][0]["payer_message"]
    assert [sent.kind for sent in step.out] == []
