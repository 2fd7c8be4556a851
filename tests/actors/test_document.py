"""The documents of the doors: complete, true to their own schemas, and with every code there is."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from payrail.domain.event_types import TYPES
from payrail.domain.problem_codes import CODES
from payrail.domain.state_svg import PLACES, svg
from payrail.domain.states import MOVES
from tests.actors.doors import open_door

ROOT = Path(__file__).parents[2]
#: Functions whose third argument, or second, is a problem's code.
_RAISERS = {"RequestError": 1, "problem_fields": 1}


@pytest.fixture
async def told(tmp_path: Path) -> dict[str, Any]:
    async with open_door(tmp_path) as door:
        _, _, document = await door.ask("GET", "/openapi.json", key="")
    found: dict[str, Any] = document
    return found


async def test_every_example_fits_its_schema(told: dict[str, Any]):
    """What a document shows of a body or an answer is one that its own schema allows."""
    for where, content in _contents(told):
        schema = {**content["schema"], "components": told["components"]}
        wrong = [
            one.message
            for one in jsonschema_rs.validator_for(schema).iter_errors(content["example"])
        ]
        assert not wrong, (where, wrong, content["example"])
    validate(told)


async def test_every_operation_tells_its_refusals_and_headers(told: dict[str, Any]):
    """Each answer names the correlation id; a refusal is problem+json with its codes; a keyed
    order tells when it was replayed; whoever needs a key may be told 401."""
    for path, method, operation in _operations(told):
        answers = operation["responses"]
        assert "default" not in answers
        for status, answer in answers.items():
            assert "X-Correlation-Id" in answer["headers"], (method, path, status)
            if status >= "4":
                assert answer["content"]["application/problem+json"]["examples"]
        assert ("401" in answers) or operation.get("security") == [], (method, path)
        if method == "post" and "parameters" in operation:
            names = [one["name"] for one in operation["parameters"]]
            if "Idempotency-Key" in names:
                first = next(iter(answers.values()))
                assert "Idempotent-Replayed" in first["headers"]


async def test_making_a_payment_leads_to_all_that_can_be_done_with_it(told: dict[str, Any]):
    """Links are there for whoever walks through the API."""
    links = told["paths"]["/payment-intents"]["post"]["responses"]["201"]["links"]

    assert {
        "get_payment_intents_id",
        "post_payment_intents_id_authorize",
        "post_payment_intents_id_capture",
        "get_ledger_id",
        "post_refunds",
    } <= links.keys()


def test_every_code_that_is_raised_stands_in_the_table():
    """With its status; whoever raises a new one says there what it means and what to do."""
    raised = list(_raised())

    assert len(raised) > 40
    for where, status, code in raised:
        assert code in CODES, f"{where}: {code}"
        assert status in (CODES[code].status, *CODES[code].also), f"{where}: {status} {code}"


def test_every_state_has_its_place_in_the_picture():
    """A new row of a table asks for a place, though it is drawn without one, too."""
    for about, moves in MOVES.items():
        names = {state for start, _, end in moves for state in (start, end) if state}
        assert names == PLACES[about].keys()
        assert all(f">{name}</text>" in svg(about) for name in names)
        assert "://" not in svg(about)


async def test_the_page_shows_operations_states_events_and_codes(tmp_path: Path):
    """Under a policy that lets it load nothing."""
    async with open_door(tmp_path) as door:
        _, headers, page = await door.ask("GET", "/docs", key="")

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "://" not in page
    assert "<script" not in page
    assert page.count("<svg") == len(MOVES)
    assert all(f"<code>{name}</code>" in page for name in (*TYPES, *CODES))


def _operations(told: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            yield path, method, operation


def _contents(told: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, method, operation in _operations(told):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            content = body.get("content", {}).get("application/json")
            if content is not None:
                yield f"{method} {path}", json.loads(json.dumps(content))


def _raised() -> Iterator[tuple[str, int, str]]:
    """File and line, status and code of every refusal that is written out in the code."""
    for file in [*ROOT.glob("payrail/**/*.py"), *ROOT.glob("actors/**/*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _RAISERS:
                words = [one.value for one in node.args[:2] if isinstance(one, ast.Constant)]
                match words:
                    case [int(status), str(code)]:
                        yield f"{file.name}:{node.lineno}", status, code
