"""Tokens that end, over real HTTP: for one payment, for a time, deleted; and who makes them."""

import pytest
from openapi_spec_validator import validate

from payrail.domain.cardslots import CARD_KEYS
from tests.actors.doors import INTERNAL
from tests.actors.vaulted import CARD, NUMBER, open_vault

CONSOLE = "http://127.0.0.1:3026"
CHARGE = {"provider": "providerA", "operation_id": "op_1", "purpose": "charge.authorize"}


async def test_a_token_says_how_it_ends(tmp_path):
    """What was asked for comes back, also later; a plain token is reusable and has no end."""
    async with open_vault(tmp_path) as vault:
        plain = await vault.ask("POST", "/tokenize", CARD)
        wish = {**CARD, "usage": "single_use", "expires_in_s": 60}
        status, made = await vault.ask("POST", "/tokenize", wish)
        shown = await vault.ask("GET", f"/tokens/{made['token']}")

    assert (plain[1]["usage"], plain[1]["expires_at"]) == ("reusable", None)
    assert (status, made["usage"], made["expires_at"][-1]) == (201, "single_use", "Z")
    assert shown == (200, made)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("usage", "twice"),
        ("usage", None),
        ("expires_in_s", 0),
        ("expires_in_s", 366 * 86_400 + 1),
        ("expires_in_s", 1.5),
        ("expires_in_s", "60"),
    ],
)
async def test_an_end_that_cannot_be_is_refused_by_its_field(tmp_path, field, value):
    """422 names the field; nothing is stored."""
    async with open_vault(tmp_path) as vault:
        status, body = await vault.ask("POST", "/tokenize", {**CARD, field: value})
        assert (status, [one["field"] for one in body["errors"]]) == (422, [field])
        assert vault.log() == []


async def test_a_deleted_card_is_gone_for_all_doors(tmp_path):
    """200 once, then 404 everywhere; its slot is zeros, and each of them left a line."""
    async with open_vault(tmp_path) as vault:
        token = await vault.token()
        path = f"/tokens/{token}"
        others = await vault.ask("DELETE", path, key=vault.key(merchant="m_002"))
        answers = [await vault.ask("DELETE", path, key=vault.key("operator")) for _ in range(2)]
        shown = await vault.ask("GET", path)
        wish = {**CHARGE, "token": token, "payment_id": "pi_1"}
        charged = await vault.ask("POST", "/charge-token", wish, INTERNAL)
        lines = [(one["purpose"], one["outcome"], one["token"]) for one in vault.log()]
        slots = (vault.home / CARD_KEYS).read_bytes()

    assert answers[0] == (200, {"token": token, "deleted": True, "shredded": True})
    assert [others[0], answers[1][0], shown[0]] == [404, 404, 404]
    assert (charged[0], charged[1]["code"]) == (422, "unknown-token")
    assert slots[:64] == bytes(64) != slots[64:128]
    assert [line[:2] for line in lines] == [
        ("tokenize", "allowed"),
        ("delete", "refused:unknown_token"),
        ("delete", "allowed"),
        ("delete", "refused:unknown_token"),
        ("support.last4", "refused:unknown_token"),
        ("charge.authorize", "refused:unknown_token"),
    ]
    assert {line[2] for line in lines} == {token}


@pytest.mark.parametrize("role", ["publishable", "viewer", "approver", "auditor"])
async def test_who_may_not_delete_a_card_leaves_a_line(tmp_path, role):
    """403, the log says who tried, and the card is there."""
    async with open_vault(tmp_path) as vault:
        token = await vault.token()
        status, body = await vault.ask("DELETE", f"/tokens/{token}", key=vault.key(role))
        assert (status, body["code"]) == (403, "forbidden")
        assert vault.log()[-1]["outcome"] == "refused:role_refused"
        assert vault.log()[-1]["who"] == f"usr_m001_{role}"
        assert (await vault.ask("GET", f"/tokens/{token}"))[0] == 200


async def test_a_publishable_key_opens_tokenize_alone(tmp_path):
    """Everywhere else it is refused, and what it wanted is in the log."""
    async with open_vault(tmp_path) as vault:
        key = vault.key("publishable")
        token = (await vault.ask("POST", "/tokenize", CARD, key))[1]["token"]
        wish = {"token": token, "purpose": "support.last4"}
        tries = [
            await vault.ask("POST", "/detokenize", wish, key),
            await vault.ask("GET", f"/tokens/{token}", key=key),
            await vault.ask("DELETE", f"/tokens/{token}", key=key),
        ]
        inner = await vault.ask("POST", "/charge-token", {**CHARGE, "token": token}, key)
        outcomes = [one["outcome"] for one in vault.log()]

    assert [status for status, _ in tries] == [403, 403, 403]
    assert inner[0] == 401
    refused = [*["refused:role_refused"] * 3, "refused:unauthenticated"]
    assert outcomes[0] == "allowed"
    assert sorted(outcomes[1:]) == refused


async def _send(vault, method, origin, path="/tokenize", **headers):
    url = f"http://127.0.0.1:{vault.settings.vault_port}{path}"
    sent = {"Origin": origin, "Authorization": f"Bearer {vault.key('publishable')}", **headers}
    body = CARD if method == "POST" else None
    async with vault.session.request(method, url, json=body, headers=sent) as answer:
        return answer.status, answer.headers


@pytest.mark.parametrize("origin", [CONSOLE, "http://localhost:3026"])
async def test_a_page_of_the_console_may_store_a_card(tmp_path, origin):
    """The browser's question, the answer and a refusal name the origin; credentials are not."""
    async with open_vault(tmp_path) as vault:
        asks = {"Access-Control-Request-Method": "POST"}
        status, told = await _send(vault, "OPTIONS", origin, **asks)
        stored = await _send(vault, "POST", origin)
        refused = await _send(vault, "POST", origin, Authorization="Bearer pk_test_nobody")

    assert (status, stored[0], refused[0]) == (204, 201, 401)
    for headers in (told, stored[1], refused[1]):
        assert headers["Access-Control-Allow-Origin"] == origin
        assert headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in headers
    assert told["Access-Control-Allow-Methods"] == "POST"
    assert "Authorization" in told["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://127.0.0.1:3027",
        "https://127.0.0.1:3026",
        "http://127.0.0.1:3026.evil.example",
    ],
)
async def test_no_other_page_may(tmp_path, origin):
    """Its browser gets no header that would show it the answer."""
    async with open_vault(tmp_path) as vault:
        asks = {"Access-Control-Request-Method": "POST"}
        status, told = await _send(vault, "OPTIONS", origin, **asks)
        stored = await _send(vault, "POST", origin)

    assert status == 405
    for headers in (told, stored[1]):
        assert not [name for name in headers if name.startswith("Access-Control-Allow")]


async def test_only_the_path_that_stores_cards_is_open_to_pages(tmp_path):
    """A page of the console cannot look at tokens, nor delete one."""
    async with open_vault(tmp_path) as vault:
        path = f"/tokens/{await vault.token()}"
        asks = {"Access-Control-Request-Method": "DELETE"}
        asked = await _send(vault, "OPTIONS", CONSOLE, path, **asks)
        sent = await _send(vault, "DELETE", CONSOLE, path)
        other_verb = await _send(vault, "OPTIONS", CONSOLE, **asks)

    assert [asked[0], sent[0], other_verb[0]] == [405, 403, 405]
    for _, headers in (asked, sent):
        assert "Access-Control-Allow-Origin" not in headers


async def test_the_document_tells_how_to_get_in(tmp_path):
    """Each route names the key or the secret that it takes; the page shows all of them."""
    async with open_vault(tmp_path) as vault:
        _, told = await vault.ask("GET", "/openapi.json", key="")
        url = f"http://127.0.0.1:{vault.settings.vault_port}/docs"
        async with vault.session.get(url) as answer:
            status, page = answer.status, await answer.text()
    validate(told)
    paths = told["paths"]

    assert set(told["components"]["securitySchemes"]) == {"key", "internal"}
    for path in ("/charge-token", "/rotate-keys", "/unlock", "/protect"):
        for operation in paths[path].values():
            assert operation["security"] == [{"internal": []}], path
    for path, method in (("/tokenize", "post"), ("/tokens/{id}", "delete")):
        assert "security" not in paths[path][method]
    assert paths["/tokens/{id}"]["delete"]["x-roles"] == ["admin", "operator"]
    assert "token-used" in str(paths["/charge-token"]["post"]["responses"]["422"])
    assert "CORS" in told["info"]["description"]
    assert (status, "://" in page.replace(f"127.0.0.1:{vault.settings.vault_port}", "")) == (
        200,
        False,
    )
    assert "DELETE" in page


async def test_a_single_use_token_is_refused_by_its_name(tmp_path):
    """The second payment hears why, and that nothing of this is for a repetition."""
    async with open_vault(tmp_path) as vault:
        (tmp_path / "data/providers").mkdir(parents=True, exist_ok=True)
        token = await vault.token(usage="single_use")
        wish = {**CHARGE, "token": token}
        first = await vault.ask("POST", "/charge-token", {**wish, "payment_id": "pi_1"}, INTERNAL)
        assert first[1]["code"] == "provider-key-missing"
        second = await vault.ask("POST", "/charge-token", {**wish, "payment_id": "pi_2"}, INTERNAL)
        assert second[1]["code"] == "provider-key-missing"  # a try that failed uses nothing up
        assert NUMBER.encode() not in vault.everything()
