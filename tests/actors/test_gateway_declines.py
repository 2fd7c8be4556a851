"""declines.csv at the gateway: what an attempt tells of its decline, and what fails over."""

from pathlib import Path

import pytest

from actors.gateway.decline_rules import PATH, read_decline_rules
from actors.gateway.rule_files import look, open_all, with_texts
from actors.gateway.settings import Rules
from payrail.domain.breaker import Breaker
from payrail.domain.declines import default_declines, default_text, read_declines
from payrail.domain.fees import provider_fee
from payrail.domain.payments import render
from payrail.errors import BadRules
from payrail.storage.fs import RealFs
from tests.actors.gatewaydesk import Desk, answer, booked

SOFT = "insufficient_funds"


def test_the_file_is_made_once_and_then_peoples(tmp_path: Path) -> None:
    """As we ship it; a change of theirs is read and stays."""
    fs = RealFs(str(tmp_path), durable=False)
    texts = {found.file: found.text for found in open_all(fs)}
    assert with_texts(Rules(), texts).declines == default_declines()
    changed = default_text().replace(f"{SOFT},soft,no", f"{SOFT},soft,yes")
    fs.replace(PATH, changed.encode())
    found = look(fs, "declines")
    assert found is not None
    assert with_texts(Rules(), {"declines": found.text}).declines[SOFT].retry_elsewhere
    open_all(fs)
    assert fs.read(PATH) == changed.encode()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"code\n", "the head must be"),
        (b"", "the head must be"),
        (default_text().replace("soft,no", "soft,maybe").encode(), "yes or no"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_remedy(data: bytes, named: str) -> None:
    with pytest.raises(BadRules, match=named) as caught:
        read_decline_rules(data)
    assert PATH in str(caught.value)
    assert caught.value.remedy


def test_an_attempt_tells_cost_time_and_what_its_decline_means() -> None:
    """In the entry, so that a table that changes later changes no past."""
    desk = Desk()
    payment_id, _ = desk.attempted()
    desk.wire_ms += 40
    _, problem = answer(desk.says(f"{payment_id}.1", "declined", code=SOFT))
    (attempt,) = problem["payment_intent"]["attempts"]

    assert (attempt["code"], attempt["class"], attempt["latency_ms"]) == (SOFT, "soft", 40)
    assert attempt["payer_message"] == default_declines()[SOFT].payer_message
    assert attempt["cost"] == provider_fee("providerA", 1099, "USD")


def test_an_approved_attempt_has_a_cost_and_no_class() -> None:
    desk = Desk()
    payment_id = desk.authorized()
    (attempt,) = render(desk.state.payments[payment_id])["attempts"]

    assert (attempt["class"], attempt["payer_message"]) == (None, None)
    assert attempt["cost"] > 0


@pytest.mark.parametrize("marked", [False, True])
def test_a_decline_goes_elsewhere_only_where_people_wrote_yes(marked: bool) -> None:
    """The first attempt stays a decline; the payment is what the second one makes of it."""
    text = default_text().replace(f"{SOFT},soft,no", f"{SOFT},soft,yes")
    desk = Desk(Rules(declines=read_declines(text)) if marked else None)
    payment_id, _ = desk.attempted()
    desk.wire_ms += 30
    step = desk.says(f"{payment_id}.1", "declined", code=SOFT)
    if not marked:
        assert booked(step) == ["payment.declined"]
        return
    assert booked(step) == ["payment.attempt_started"]
    ended = desk.says(f"{payment_id}.2", provider="providerB", sender="provider-b")
    first, second = answer(ended)[1]["attempts"]

    assert (first["outcome"], first["code"], first["class"]) == ("declined", SOFT, "soft")
    assert (first["latency_ms"], second["provider"]) == (30, "providerB")
    assert second["outcome"] == "approved"
    assert desk.state.breaker("providerA") == Breaker(), "a decline never counts"
    assert desk.replayed() == desk.state


def test_declined_everywhere_ends_as_the_last_one_said() -> None:
    text = default_text().replace(f"{SOFT},soft,no", f"{SOFT},soft,yes")
    desk = Desk(Rules(declines=read_declines(text)))
    payment_id, _ = desk.attempted()
    desk.says(f"{payment_id}.1", "declined", code=SOFT)
    told = {"provider": "providerB", "sender": "provider-b", "code": SOFT}
    step = desk.says(f"{payment_id}.2", "declined", **told)

    assert (booked(step), answer(step)[1]["decline_code"]) == (["payment.declined"], SOFT)


def test_a_safe_refusal_is_technical() -> None:
    """Nobody decided anything: the attempt says so."""
    desk = Desk()
    payment_id, _ = desk.attempted()
    desk.says(f"{payment_id}.1", "refused", code="not_accepted")
    first = render(desk.state.payments[payment_id])["attempts"][0]

    assert (first["outcome"], first["class"]) == ("not_accepted", "technical")
