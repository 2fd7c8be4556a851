"""The vault's door over real HTTP with the real vault behind it: cards in, tokens out."""

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.actors.doors import INTERNAL
from tests.actors.vaulted import CARD, NUMBER, open_vault


@pytest.mark.parametrize("role", ["publishable", "admin", "operator"])
async def test_a_card_becomes_a_token(tmp_path, role):
    """Brand, BIN, last4 and fingerprint come back; the access log knows who brought it."""
    async with open_vault(tmp_path) as vault:
        status, body = await vault.ask("POST", "/tokenize", CARD, vault.key(role))
        assert status == 201
        assert (body["brand"], body["bin"], body["last4"]) == ("visa", "424242", "4242")
        assert len(body["token"]) == 36
        (line,) = vault.log()
        assert (line["purpose"], line["outcome"]) == ("tokenize", "allowed")
        assert (line["who"], line["token"]) == (f"usr_m001_{role}", body["token"])


async def test_no_file_holds_the_card(tmp_path):
    """Neither number nor CVC nor name is in any file in clear, also after refusals."""
    async with open_vault(tmp_path) as vault:
        await vault.token(number="4242 4242-4242 4242")
        await vault.ask("POST", "/tokenize", {**CARD, NUMBER: NUMBER})
        await vault.ask("POST", "/detokenize", {"token": NUMBER, "purpose": NUMBER})
        await vault.ask("GET", f"/tokens/{NUMBER}")
        found = vault.everything()
        for secret in (b"4242424242", b"4242 4242", b'"987"', b"Ada Byron"):
            assert secret not in found


async def test_fingerprints_meet_within_a_merchant_alone(tmp_path):
    """The same card: one fingerprint at one merchant, another at the next, tokens always new."""
    async with open_vault(tmp_path) as vault:
        first, second, other = [
            (await vault.ask("POST", "/tokenize", CARD, vault.key("admin", merchant)))[1]
            for merchant in ("m_001", "m_001", "m_002")
        ]
        assert first["fingerprint"] == second["fingerprint"] != other["fingerprint"]
        assert len({first["token"], second["token"], other["token"]}) == 3


BAD_CARDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a wrong check digit": ({"number": "4242424242424241"}, "number", "incorrect_number"),
    "letters": ({"number": "4242abcd42424242"}, "number", "incorrect_number"),
    "too short": ({"number": "424242424242"}, "number", "incorrect_number"),
    "too long": ({"number": "4" * 20}, "number", "incorrect_number"),
    "Arabic digits": ({"number": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"}, "number", "incorrect_number"),
    "month 0": ({"exp_month": 0}, "exp_month", "invalid_expiry_month"),
    "month 13": ({"exp_month": 13}, "exp_month", "invalid_expiry_month"),
    "a past year": ({"exp_year": 2020}, "exp_year", "expired_card"),
    "two digits of a year": ({"exp_year": 35}, "exp_year", "invalid_expiry_year"),
    "a far year": ({"exp_year": 2999}, "exp_year", "invalid_expiry_year"),
    "a short CVC": ({"cvc": "12"}, "cvc", "invalid_cvc"),
    "a CVC of letters": ({"cvc": "abc"}, "cvc", "invalid_cvc"),
    "an amex CVC on visa": ({"cvc": "1234"}, "cvc", "invalid_cvc"),
}


async def test_a_bad_card_is_refused_by_field(tmp_path):
    """422 names field and code, never the number, and nothing is stored."""
    async with open_vault(tmp_path) as vault:
        for what, (fields, field, code) in BAD_CARDS.items():
            status, problem = await vault.ask("POST", "/tokenize", {**CARD, **fields})
            assert (status, problem["code"]) == (422, "validation-error"), what
            assert [(e["field"], e["code"]) for e in problem["errors"]] == [(field, code)], what
            assert CARD["number"] not in json.dumps(problem)
        for fields in ({"number": 4242424242424242}, {"exp_month": "12"}, {"cvc": None}, {"x": 1}):
            status, problem = await vault.ask("POST", "/tokenize", {**CARD, **fields})
            assert status == 422, fields
            assert "4242424242424242" not in json.dumps(problem)
        assert vault.log() == []


async def test_an_amex_card_has_four_digits(tmp_path):
    """378282246310005 with a CVC of four digits is stored."""
    async with open_vault(tmp_path) as vault:
        assert await vault.token(number="378282246310005", cvc="1234")


async def test_last4_needs_a_purpose(tmp_path):
    """Allowed with support.last4; without or with another purpose refused; each is one line."""
    async with open_vault(tmp_path) as vault:
        token = await vault.token()
        for purpose, status in (
            ("support.last4", 200),
            ("", 422),
            ("curiosity", 422),
            ("charge.authorize", 403),
        ):
            body = {"token": token, "purpose": purpose}
            assert (await vault.ask("POST", "/detokenize", body))[0] == status
        assert (await vault.ask("POST", "/detokenize", {"token": token}))[0] == 422
        assert [line["outcome"] for line in vault.log()[1:]] == [
            "allowed",
            "refused:purpose_missing",
            "refused:purpose_unknown",
            "refused:purpose_refused",
            "refused:purpose_missing",
        ]


@pytest.mark.parametrize("role", ["publishable", "viewer", "approver"])
async def test_a_refused_role_leaves_its_line(tmp_path, role):
    """403, and the access log tells who tried."""
    async with open_vault(tmp_path) as vault:
        token = await vault.token()
        body = {"token": token, "purpose": "support.last4"}
        status, problem = await vault.ask("POST", "/detokenize", body, vault.key(role))
        assert (status, problem["code"]) == (403, "forbidden")
        status, _ = await vault.ask("GET", f"/tokens/{token}", key=vault.key(role))
        assert status == 403
        lines = vault.log()[1:]
        assert {(line["who"], line["outcome"]) for line in lines} == {
            (f"usr_m001_{role}", "refused:role_refused")
        }


async def test_another_merchants_token_is_unknown(tmp_path):
    """Neither its last4 nor its being there is told."""
    async with open_vault(tmp_path) as vault:
        token = await vault.token()
        other = vault.key("admin", "m_002")
        assert (await vault.ask("GET", f"/tokens/{token}"))[0] == 200
        told = [
            await vault.ask("GET", f"/tokens/{name}", key=other)
            for name in (token, "tok_" + "0" * 32)
        ]
        assert [status for status, _ in told] == [404, 404]
        assert told[0][1]["detail"] == told[1][1]["detail"]


async def test_the_inner_route_needs_the_inner_secret(tmp_path):
    """/charge-token is closed to every key of people."""
    async with open_vault(tmp_path) as vault:
        body = {
            "token": await vault.token(),
            "provider": "providerA",
            "payment_id": "pi_1",
            "operation_id": "pi_1.1",
            "purpose": "charge.authorize",
        }
        assert (await vault.ask("POST", "/charge-token", body))[0] == 401
        status, problem = await vault.ask("POST", "/charge-token", body, INTERNAL)
        assert (status, problem["code"]) == (503, "provider-key-missing")


async def test_without_its_log_the_vault_hands_out_nothing(tmp_path):
    """While the access log cannot be written: 503 audit-unavailable, and health says so."""
    async with open_vault(tmp_path) as vault:
        token = await vault.token()
        vault.driver._books["access"].append = _refuse
        body = {"token": token, "purpose": "support.last4"}
        for _ in range(2):
            status, problem = await vault.ask("POST", "/detokenize", body)
            assert (status, problem["code"]) == (503, "audit-unavailable")
        assert (await vault.ask("GET", "/health", key=""))[0] == 503


async def test_without_its_log_no_door_of_the_vault_moves_a_card(tmp_path):
    """Storing, showing and sealing are all refused alike, to be tried again, without a digit; and
    what comes by mailbox waits: no provider gets a charge that has no line."""
    async with open_vault(tmp_path) as vault:
        token = await vault.token()
        vault.driver._books["access"].append = _refuse
        charge = {
            "token": token,
            "provider": "providerA",
            "payment_id": "pi_1",
            "operation_id": "pi_1.1",
            "purpose": "charge.authorize",
        }
        asked = [
            await vault.ask("POST", "/tokenize", CARD),
            await vault.ask("POST", "/detokenize", {"token": token, "purpose": "support.last4"}),
            await vault.ask("GET", f"/tokens/{token}"),
            await vault.ask("POST", "/charge-token", charge, INTERNAL),
        ]
    for status, problem in asked:
        assert (status, problem["code"], problem["retryable"]) == (503, "audit-unavailable", True)
        assert CARD["number"][-4:] not in str(problem)
        assert "sealed" not in problem
    assert len(vault.log()) == 1  # the one from before
    spools = list(tmp_path.glob("mailboxes/provider-*/vault.jsonl"))
    assert not any(b"charge" in spool.read_bytes() for spool in spools)


def _refuse(data):
    raise OSError(28, "No space left on device")


async def test_the_document_is_valid(tmp_path):
    """/openapi.json of the vault is OpenAPI 3.1."""
    async with open_vault(tmp_path) as vault:
        status, document = await vault.ask("GET", "/openapi.json", key="")
        assert status == 200
        validate(document)
        assert "/tokenize" in document["paths"]


async def test_a_card_number_is_nobodys_name(tmp_path):
    """Whom the house speaks for stands in every log: a number there is refused by its header, not
    repeated, and in no file."""
    async with open_vault(tmp_path) as vault:
        service = (vault.home / "data/secrets/service").read_text().strip()
        url = f"http://127.0.0.1:{vault.settings.vault_port}/tokens/{await vault.token()}"
        for name in (NUMBER, "-".join(re.findall("....", NUMBER)), f"u{NUMBER}"):
            headers = {"Authorization": f"Bearer {service}", "X-User": name}
            async with vault.session.get(url, headers=headers) as answer:
                text = await answer.text()
            assert (answer.status, json.loads(text)["errors"][0]["field"]) == (422, "X-User")
            assert name not in text
            assert name.encode() not in vault.everything()


async def test_unknown_keys_are_refused(tmp_path):
    """401 without a key and with another house's."""
    async with open_vault(tmp_path) as vault:
        for key in ("", "pk_test_m001publishable_" + "0" * 32):
            assert (await vault.ask("POST", "/tokenize", CARD, key))[0] == 401


async def test_a_look_up_without_a_right_key_leaves_its_line(tmp_path):
    """401, and the log tells that somebody tried, with whose key if it is anybody's; of a flood it
    tells the first."""
    async with open_vault(tmp_path) as vault:
        token = await vault.token()
        tried = [
            ("GET", f"/tokens/{token}", None, "sk_test_nobody"),
            ("DELETE", f"/tokens/{token}", None, "sk_test_nobody"),
            ("POST", "/detokenize", {"token": token, "purpose": "support.last4"}, ""),
            ("POST", "/charge-token", {}, vault.key("operator")),
        ]
        for method, path, body, key in tried:
            assert (await vault.ask(method, path, body, key))[0] == 401
        lines = [(one["who"], one["token"], one["purpose"]) for one in vault.log()[1:]]
        assert lines == [
            ("unknown", token, "support.last4"),
            ("unknown", token, "delete"),
            ("unknown", "tok_unreadable", "unknown"),
            ("usr_m001_operator", "tok_unreadable", "unknown"),
        ]
        assert {one["outcome"] for one in vault.log()[1:]} == {"refused:unauthenticated"}

        for _ in range(50):
            assert (await vault.ask("POST", "/detokenize", {}, ""))[0] == 401
        assert len(vault.log()) < 50
