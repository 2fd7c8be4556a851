"""Problems: the one shape of every refusal over HTTP."""

import ast
import json
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from pydantic import Field

from payrail.errors import RequestError
from payrail.web.bodies import Body, checked
from payrail.web.correlation import begin, fit_or_made
from payrail.web.heads import bearer
from payrail.web.problems import code_of, from_request_error, problem

ROOT = Path(__file__).parents[2]
CARD = "4000000000000002"


class Fixed:
    def token_hex(self, size_bytes):
        return "ab" * size_bytes


def request(headers=()):
    made = make_mocked_request("GET", f"/x?authorization={CARD}", headers=dict(headers))
    begin(made, Fixed())
    return made


def test_a_problem_has_every_field():
    """RFC 9457's fields and ours, in one object, with the request's correlation id."""
    answer = problem(request(), 409, "illegal-transition", "Not now.", extra={"legal": ["cancel"]})

    assert (answer.status, answer.content_type) == (409, "application/problem+json")
    assert json.loads(answer.text or "") == {
        "type": "/problems/illegal-transition",
        "title": "Illegal transition",
        "status": 409,
        "detail": "Not now.",
        "code": "illegal-transition",
        "retryable": False,
        "correlation_id": "cor_abababababababab",
        "errors": [],
        "legal": ["cancel"],
    }


def test_a_refusal_becomes_its_problem():
    """Status, code, headers and fields of a refusal reach the client."""
    refusal = RequestError(
        503, "overloaded", "Later.", retryable=True, headers={"Retry-After": "1"}
    )

    answer = from_request_error(request(), refusal)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert json.loads(answer.text or "")["retryable"] is True


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "not-found"), (405, "method-not-allowed"), (500, "internal-error"), (599, "refused")],
)
def test_every_status_has_a_code(status, code):
    """A bare status is named as clients can match it."""
    assert code_of(status) == code


@pytest.mark.parametrize("given", ["a", "cor_1", "A-b_9" * 12, "x" * 64])
def test_a_fit_correlation_id_is_kept(given):
    """Letters, digits, dash and underscore, up to 64."""
    assert fit_or_made(given, Fixed()) == given


@pytest.mark.parametrize(
    "given",
    [None, "", "x" * 65, "x" * 10_000, "a b", "a\n", "a\x1b[31m", "é", "../x", "a,b", CARD],
)
def test_an_unfit_correlation_id_is_replaced(given):
    """Nothing else, and no card number, gets into the files under the name of an id."""
    assert fit_or_made(given, Fixed()) == "cor_abababababababab"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_a_key_comes_by_its_header(scheme):
    """The scheme's case does not matter, the key's does."""
    assert bearer(request({"Authorization": f"{scheme} sk_test_A"})) == "sk_test_A"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer a b"},
        {"Authorization": "Basic c2s6"},
        {"Authorization": "sk_test_A"},
        {"Authorization": "Bearer é"},
        {"Authorization": "Bearer " + "x" * 10_000},
    ],
)
def test_without_one_key_the_asker_is_unknown(headers):
    """401 with the challenge; a key in the query is not looked at."""
    with pytest.raises(RequestError) as caught:
        bearer(request(headers))

    assert (caught.value.status, caught.value.code) == (401, "unauthenticated")
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")


class Customer(Body):
    email: str = Field(max_length=5)


class Order(Body):
    amount: int = Field(ge=1)
    customer: Customer | None = None


def refused(fields):
    with pytest.raises(RequestError) as caught:
        checked(Order, fields)
    assert (caught.value.status, caught.value.code) == (422, "validation-error")
    return caught.value.errors


@pytest.mark.parametrize("amount", ["1", 1.0, True, None, 0, [1]])
def test_an_amount_is_a_whole_number_and_nothing_like_it(amount):
    """No text, float or truth value is taken for a number."""
    assert [one["field"] for one in refused({"amount": amount})] == ["amount"]


def test_mistakes_are_named_by_field_without_their_values():
    """Each field is named with its path, and no value is repeated."""
    errors = refused({"amount": f"{CARD}", "customer": {"email": "canary@x"}, "more": "canary"})

    assert [one["field"] for one in errors] == ["amount", "customer.email", "more"]
    assert "canary" not in str(errors)
    assert CARD not in str(errors)


def test_a_card_as_a_field_name_is_masked():
    """Even the name of an unknown field does not carry a card number back."""
    (unknown,) = refused({"amount": 1, CARD: 1})

    assert unknown["field"] == "************0002"


def test_a_thousand_mistakes_make_a_short_answer():
    """The list of mistakes has an end, and so has each name in it."""
    errors = refused({"amount": 1, **{f"{at}" * 300: at for at in range(1000)}})

    assert len(errors) == 20
    assert max(len(one["field"]) for one in errors) == 100


def test_a_fitting_body_comes_through():
    """What has the shape is given on as the model."""
    assert checked(Order, {"amount": 5, "customer": {"email": "a@b"}}).amount == 5
    assert isinstance(request(), web.Request)


#: Codes whose problem names what may be done instead.
_NAMING = {"illegal-transition", "operation-in-doubt"}


def _refusals(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            said = {c.value for arg in node.args for c in ast.walk(arg)
                    if isinstance(c, ast.Constant) and isinstance(c.value, str)}  # fmt: skip
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in ("RequestError", "problem_fields", "problem") and said & _NAMING:
                yield node


def test_every_refusal_by_state_names_what_is_legal():
    """`legal` is there wherever a state or a call under way forbids something, also when empty."""
    paths = [path for room in ("actors", "payrail") for path in (ROOT / room).rglob("*.py")]
    found = [(p, node) for p in paths for node in _refusals(ast.parse(p.read_text("utf-8")))]
    silent = [
        f"{path}:{node.lineno}"
        for path, node in found
        if not any(keyword.arg == "extra" for keyword in node.keywords)
    ]
    assert silent == []
    assert len(found) > 10
