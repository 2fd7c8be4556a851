"""Webhook endpoints at the gateway: facts without secrets, each merchant's own, one effect each."""

import msgspec
import pytest

from payrail.domain.endpoints import Endpoint
from payrail.domain.webhooks import ENDPOINTS_MAX
from payrail.domain.words.endpoints import (
    AddEndpoint,
    DeleteEndpoint,
    DisableEndpoint,
    RotateEndpointSecret,
    SwitchEndpoint,
    UpdateEndpoint,
)
from payrail.errors import RequestError
from tests.actors.gatewaydesk import Desk, answer

URL = "https://shop.example/hooks"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def give(desk: Desk, kind: str, body, key: str, merchant: str | None = "m_001", re=None):
    """Give an order; result: (status, body, step)."""
    body.merchant_id, body.idempotency_key, body.request_hash = merchant, key, key
    step = desk.order((f"endpoint.{kind}", body), re)
    return *answer(step), step


def added(desk: Desk, key: str = "k", merchant: str = "m_001") -> str:
    status, body, _ = give(desk, "add", AddEndpoint(url=URL), key, merchant)
    assert status == 201
    return str(body["id"])


def only(desk: Desk) -> Endpoint:
    (known,) = desk.state.endpoints.values()
    return known


def test_an_endpoint_is_a_fact_of_the_access_book(desk: Desk):
    """One line without a secret, the answer, and the view show the same endpoint."""
    status, body, step = give(desk, "add", AddEndpoint(url=URL, events=["payment.*"]), "k")

    assert (status, body["url"], body["events"]) == (201, URL, ["payment.*"])
    assert (body["state"], body["object"], body["merchant_id"]) == (
        "enabled",
        "webhook_endpoint",
        "m_001",
    )
    (post,) = step.posts
    assert (post.book, post.record.endpoint_id) == ("access", body["id"])
    (show,) = step.shows
    assert show.path == "data/access/endpoints.json"
    assert show.data == {"endpoints": [body]}
    assert b"whsec_" not in desk.everything()


def test_it_gets_what_is_booked_after_it(desk: Desk):
    """The fact carries the `seq` of the last event before it."""
    added(desk)
    assert only(desk).after_seq == 0
    desk.authorized()
    events = sum(post.book == "events" for step in desk.steps for post in step.posts)
    other = added(desk, "k2")
    assert desk.state.endpoints[other].after_seq == events > 0


def test_the_same_key_makes_one_endpoint(desk: Desk):
    """A request that is sent again, or asked again after a rebirth, adds nothing."""
    added(desk)
    order = AddEndpoint(url=URL, merchant_id="m_001", idempotency_key="k", request_hash="k")
    step = desk.order(("endpoint.add", order))
    assert step.posts == []
    assert step.replies[0].replayed
    assert len(desk.state.endpoints) == 1


def test_a_merchant_has_a_bounded_number(desk: Desk):
    """One more than the bound is refused with the remedy; another merchant still may."""
    for number in range(ENDPOINTS_MAX):
        added(desk, f"k{number}")
    order = AddEndpoint(url=URL, merchant_id="m_001", idempotency_key="more")
    refusal = desk.refused(("endpoint.add", order))
    assert (refusal.status, refusal.code) == (422, "validation-error")
    assert "delete one first" in refusal.detail
    added(desk, "k", "m_002")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("update", UpdateEndpoint(id="", url=URL)),
        ("switch", SwitchEndpoint(id="", enabled=False)),
        ("rotate", RotateEndpointSecret(id="")),
        ("delete", DeleteEndpoint(id="")),
    ],
)
def test_anothers_endpoint_is_as_unknown_as_none(desk: Desk, kind: str, body):
    """Another merchant's id and one that never was get the same refusal."""
    endpoint_id = added(desk)
    refusals: list[RequestError] = []
    for about in (endpoint_id, "we_none"):
        order = msgspec.structs.replace(body, id=about, merchant_id="m_002")
        refusals.append(desk.refused((f"endpoint.{kind}", order)))
    assert [(r.status, r.code, r.detail) for r in refusals] == [
        (404, "not-found", refusals[0].detail)
    ] * 2


def test_it_is_changed_and_switched(desk: Desk):
    """What is not told stays; switching to what it is already books nothing."""
    about = added(desk)
    _, body, _ = give(desk, "update", UpdateEndpoint(id=about, events=["refund.*"]), "u")
    assert (body["url"], body["events"]) == (URL, ["refund.*"])

    _, body, _ = give(desk, "switch", SwitchEndpoint(id=about, enabled=False), "off")
    assert (body["state"], body["disabled_reason"]) == ("disabled", "by_hand")
    _, _, step = give(desk, "switch", SwitchEndpoint(id=about, enabled=False), "off again")
    assert step.posts == []
    _, body, _ = give(desk, "switch", SwitchEndpoint(id=about, enabled=True), "on")
    assert (body["state"], body["disabled_reason"]) == ("enabled", None)


def test_a_rotated_secret_lives_beside_the_old_one_for_a_day(desk: Desk):
    """The version rises by one, and the old one has an end in business time."""
    about = added(desk)
    _, body, _ = give(desk, "rotate", RotateEndpointSecret(id=about), "r")
    assert body["secret_version"] == 2
    assert body["previous_secret_until"] == "2026-02-10T12:00:00.000Z"


def test_a_deleted_one_is_gone(desk: Desk):
    """It is forgotten by gateway and view; the book alone remembers it."""
    about = added(desk)
    status, body, step = give(desk, "delete", DeleteEndpoint(id=about), "d")
    assert (status, body["state"]) == (200, "deleted")
    assert step.shows[0].data == {"endpoints": []}
    assert desk.state.endpoints == {}


def test_the_dispatcher_gives_an_endpoint_up(desk: Desk):
    """It is disabled with the reason, once; a word about one that is gone changes nothing."""
    about = added(desk)
    word = DisableEndpoint(about, "gone")
    step = desk.tell("endpoint.disable", word, sender="dispatcher")
    assert [post.record.reason for post in step.posts] == ["gone"]
    assert only(desk).state == "disabled"
    assert desk.tell("endpoint.disable", word, sender="dispatcher").posts == []
    unknown = DisableEndpoint("we_none", "gone")
    assert desk.tell("endpoint.disable", unknown, sender="dispatcher").posts == []


def test_the_journal_alone_gives_the_same_endpoints(desk: Desk):
    """Folding the lines again makes the same state."""
    about = added(desk)
    give(desk, "rotate", RotateEndpointSecret(id=about), "r")
    added(desk, "k2")
    give(desk, "delete", DeleteEndpoint(id=about), "d")
    desk.authorized()
    assert msgspec.json.encode(desk.replayed()) == msgspec.json.encode(desk.state)
