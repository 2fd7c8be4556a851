"""`GET /audit/vault`: who touched a card, for those who may know."""

import pytest

from payrail.domain.books import CARD_ACCESS_BOOK
from tests.actors.doors import AT, book, open_door

PATH = "/audit/vault"
MINE, THEIRS = "tok_" + "1" * 32, "tok_" + "2" * 32


def line(token=MINE, merchant_id="m_001", **more):
    found = {
        "at": AT,
        "who": "usr_m001_admin",
        "token": token,
        "purpose": "support.last4",
        "payment_id": None,
        "correlation_id": "cor_1",
        "outcome": "allowed",
        "origin": "http",
        "merchant_id": merchant_id,
        **more,
    }
    return {name: value for name, value in found.items() if name != "merchant_id" or value}


CHARGE = {
    "who": "gateway",
    "origin": "mailbox",
    "purpose": "charge.authorize",
    "payment_id": "pi_1",
    "provider": "providerA",
    "reference": "pi_1.1",
}
LOG = [
    line(purpose="tokenize"),
    line(THEIRS, "m_002", purpose="tokenize", who="usr_m002_publishable"),
    line(**CHARGE),
    line("tok_unknown", None, outcome="refused:unknown_token"),
    line(outcome="refused:unknown_token", who="usr_m002_admin", correlation_id="cor_2"),
]


async def seqs(door, query="", **more):
    status, _, page = await door.ask("GET", f"{PATH}?{query}", **more)
    assert status == 200, page
    return [one["seq"] for one in page["data"]], page["next_cursor"]


async def test_a_merchant_sees_the_lines_about_its_own_tokens_newest_first(tmp_path):
    """Page by page, without the links of the chain; others' tokens are as if they never were."""
    book(tmp_path, CARD_ACCESS_BOOK, LOG)
    async with open_door(tmp_path) as door:
        assert await seqs(door) == ([5, 3, 1], None)
        first, cursor = await seqs(door, "limit=2")
        assert first == [5, 3]
        assert await seqs(door, f"limit=2&cursor={cursor}") == ([1], None)
        assert (await seqs(door, f"token={MINE}"))[0] == [5, 3, 1]
        never = await door.ask("GET", f"{PATH}?token={'tok_' + '3' * 32}")
        others = await door.ask("GET", f"{PATH}?token={THEIRS}")
        guessed = await door.ask("GET", f"{PATH}?token=tok_unknown")
        assert others[2] == never[2] == guessed[2]
        assert others[2]["data"] == []
        (_, _, page) = await door.ask("GET", PATH, key=door.key("auditor"))
        assert door.gateway.asked == []

    charged = page["data"][1]
    assert charged == {"seq": 3, **line(**CHARGE)}
    assert "hash" not in charged


async def test_who_of_another_merchant_asked_is_not_told(tmp_path):
    """That somebody tried is worth knowing; who and with which request is theirs."""
    book(tmp_path, CARD_ACCESS_BOOK, LOG)
    async with open_door(tmp_path) as door:
        _, _, page = await door.ask("GET", PATH)

    tried = page["data"][0]
    assert (tried["who"], tried["correlation_id"]) == ("another merchant", "")
    assert (tried["token"], tried["outcome"]) == (MINE, "refused:unknown_token")


async def test_the_house_sees_every_line_as_it_stands(tmp_path):
    """The service key asks over all merchants, or speaks for one."""
    book(tmp_path, CARD_ACCESS_BOOK, LOG)
    async with open_door(tmp_path) as door:
        assert (await seqs(door, key=door.service))[0] == [5, 4, 3, 2, 1]
        (_, _, page) = await door.ask("GET", PATH, key=door.service)
        assert page["data"][0]["who"] == "usr_m002_admin"
        assert (await seqs(door, key=door.service, X_Merchant_Id="m_002"))[0] == [2]


async def test_a_line_is_seen_as_soon_as_it_is_written(tmp_path):
    """The log is followed, not read once."""
    end = book(tmp_path, CARD_ACCESS_BOOK, LOG[:1])
    async with open_door(tmp_path) as door:
        assert (await seqs(door))[0] == [1]
        book(tmp_path, CARD_ACCESS_BOOK, LOG[1:3], *end)
        assert (await seqs(door))[0] == [3, 1]


@pytest.mark.parametrize(
    ("role", "status"),
    [("admin", 200), ("auditor", 200), ("operator", 403), ("approver", 403), ("viewer", 403)],
)
async def test_only_admins_and_auditors_may_look(tmp_path, role, status):
    """Who used a card says much about the people who work there."""
    async with open_door(tmp_path) as door:
        assert (await door.ask("GET", PATH, key=door.key(role)))[0] == status
        assert (await door.ask("GET", PATH, key=door.key("publishable")))[0] == 403
        assert (await door.ask("GET", PATH, key=""))[0] == 401


async def test_a_question_that_cannot_be_meant_is_422_and_repeats_nothing(tmp_path):
    """A card number in place of a token is answered without it."""
    async with open_door(tmp_path) as door:
        for query in ("token=4242424242424242", "limit=0", "limit=101", "cursor=-1", "what=1"):
            status, _, problem = await door.ask("GET", f"{PATH}?{query}")
            assert (status, problem["code"]) == (422, "validation-error"), query
            assert "4242" not in str(problem)


async def test_until_the_vault_has_served_the_log_may_lack_lines(tmp_path):
    """After a power cut the vault puts its last lines back: until then 503, and not less."""
    book(tmp_path, CARD_ACCESS_BOOK, LOG)
    async with open_door(tmp_path, whole=False) as door:
        status, headers, problem = await door.ask("GET", PATH)

    assert (status, problem["code"], headers["Retry-After"]) == (503, "actor-restarting", "1")
