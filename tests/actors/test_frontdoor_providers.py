"""8028 over real HTTP: what is asked of the provider, and the files of its batches."""

import json
from pathlib import Path

from payrail.domain.settlement import statements
from payrail.domain.settlement.lines import StatementLine
from payrail.runtime.cells import CellWriter
from payrail.runtime.control import taking_up
from payrail.runtime.house import lock_path
from payrail.storage.lines import encode
from tests.actors.doors import INTERNAL, open_door

BATCH = "providerA-2026-02-09-01"
PATH = f"data/providers/statements/providerA/{BATCH}.csv"


def line(number: int) -> StatementLine:
    return StatementLine(
        file="",
        line=0,
        provider="providerA",
        batch_id=BATCH,
        provider_reference=f"cp_{number}",
        reference=f"pi_{number}.2",
        operation_id=f"cap_{number}",
        merchant_id="m_001",
        type="capture",
        currency="USD",
        gross=1099,
        fee=62,
        net=1037,
        occurred_at="2026-02-09T12:00:00.000Z",
        value_date="2026-02-09",
    )


def batches(envelope):
    row = {"id": BATCH, "path": PATH, "sha256": "0" * 64, "lines": 2}
    return 200, {}, encode({"object": "settlement", "date": "2026-02-09", "batches": [row]})


async def ask(door, method: str, path: str, body=None):
    return await door.ask(method, f"/providers/{path}", body, key=INTERNAL, inner=True)


async def test_what_is_sent_is_what_the_provider_is_asked(tmp_path):
    """Kinds and bodies; a capture named in a refund is no order to capture."""
    async with open_door(tmp_path) as door:
        charge = {"reference": "pi_1.1", "amount": 1, "currency": "USD", "sealed": "x" * 300}
        assert (await ask(door, "POST", "provider-a/authorize", charge))[0] == 200
        refund = {"reference": "pi_1.3", "amount": 1, "capture": "pi_1.2"}
        await ask(door, "POST", "providerA/refund", refund)
        await ask(door, "GET", "providerA/state")
        asked = [(e.kind, e.key, json.loads(bytes(e.body))) for e in door.provider.asked]
        assert [kind for kind, _, _ in asked] == ["provider.call", "provider.call", "provider.show"]
        assert asked[0][2]["sealed"] == "x" * 300
        assert (asked[1][1], asked[1][2]["capture_of"], asked[1][2]["capture"]) == (
            "pi_1.3",
            "pi_1.2",
            False,
        )


async def test_nothing_reaches_a_provider_without_the_secret(tmp_path):
    """Whatever it is, and before anything about it is checked."""
    async with open_door(tmp_path) as door:
        for method, path in (
            ("POST", "authorize"),
            ("POST", "disputes"),
            ("POST", "disputes/d/resolve"),
            ("GET", "status"),
            ("GET", "settlement"),
            ("GET", "faults"),
        ):
            status, _, body = await door.ask(
                method, f"/providers/providerA/{path}", inner=True, raw=b"{"
            )
            assert (status, body["code"]) == (401, "unauthenticated")
        assert door.provider.asked == []


async def test_a_card_in_clear_is_not_let_in(tmp_path):
    """Not in any field but the sealed one, which hides what it holds."""
    async with open_door(tmp_path) as door:
        order = {"reference": "4242424242424242", "amount": 1, "currency": "USD", "sealed": "x"}
        status, _, body = await ask(door, "POST", "providerA/authorize", order)
        assert (status, body["code"]) == (422, "validation-error")
        status, _, _ = await ask(door, "GET", "providerA/status?reference=4242424242424242")
        assert status == 422
        assert door.provider.asked == []


async def test_batches_are_shown_with_the_lines_of_their_files(tmp_path):
    """As they lie there; a file that somebody spoiled is named."""
    file = Path(tmp_path) / PATH
    file.parent.mkdir(parents=True)
    file.write_bytes(statements.rendered("providerA", [line(1), line(2)]))
    async with open_door(tmp_path, provider=batches) as door:
        status, _, body = await ask(door, "GET", "providerA/settlement?date=2026-02-09")
        assert status == 200
        (batch,) = body["batches"]
        assert [row["provider_reference"] for row in batch["data"]] == ["cp_1", "cp_2"]
        assert [row["net"] for row in batch["data"]] == [1037, 1037]

        file.write_text("not,a,statement\n")
        status, _, body = await ask(door, "GET", "providerA/settlement?date=2026-02-09")
        assert (status, body["code"]) == (503, "statement-damaged")
        assert PATH in body["detail"]
        file.unlink()
        assert (await ask(door, "GET", "providerA/settlement?date=2026-02-09"))[0] == 503


def two_batches(envelope):
    rows = [{"id": name, "path": path, "sha256": "0" * 64, "lines": 1} for name, path in FILES]
    return 200, {}, encode({"object": "settlement", "date": "2026-02-09", "batches": rows})


FILES = [(BATCH, PATH), (f"{BATCH[:-2]}02", PATH.replace("01.csv", "02.csv"))]


async def test_who_wants_csv_gets_the_files_of_the_date_as_one(tmp_path):
    """Byte for byte behind each other, under one head; one that is missing is named before."""
    made = []
    for number, (_, path) in enumerate(FILES, 1):
        file = Path(tmp_path) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(statements.rendered("providerA", [line(number)]))
        made.append(file.read_bytes().split(b"\n", 1))
    async with open_door(tmp_path, provider=two_batches) as door:
        accept = {"Accept": "text/csv"}
        path = "/providers/providerA/settlement?date=2026-02-09"
        status, headers, text = await door.ask("GET", path, key=INTERNAL, inner=True, **accept)
        assert (status, headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
        assert text.encode() == made[0][0] + b"\n" + made[0][1] + made[1][1]
        assert "X-Correlation-Id" in headers

        (Path(tmp_path) / FILES[1][1]).unlink()
        status, _, body = await door.ask("GET", path, key=INTERNAL, inner=True, **accept)
        assert (status, body["code"], body["error"]["type"]) == (
            503,
            "statement-damaged",
            "api_error",
        )


async def test_a_state_has_the_health_and_the_breaker_that_the_house_sees(tmp_path):
    """Beside what the provider counts; it is down here, since nobody lives in it."""

    def counts(envelope):
        return 200, {}, encode({"object": "provider_state", "id": "providerA", "operations": 3})

    async with open_door(tmp_path, provider=counts) as door:
        status, _, body = await ask(door, "GET", "providerA/state")
        assert (status, body["provider"], body["operations"]) == (200, "providerA", 3)
        assert (body["actor"], body["health"]) == ("provider-a", "down")
        assert body["breaker"] == {"state": "CLOSED"}


async def test_a_refusal_of_the_door_itself_is_said_in_the_providers_manner(tmp_path):
    """Who is not known, and what cannot be meant: our problem, with its error beside."""
    async with open_door(tmp_path) as door:
        path = "/providers/providerB/capture"
        _, _, body = await door.ask("POST", path, {"amount": 1}, inner=True)
        assert (body["code"], body["errorType"]) == ("unauthenticated", "security")
        _, _, body = await ask(door, "POST", "providerA/capture", {"amount": 1})
        assert (body["code"], body["error"]["type"]) == (
            "validation-error",
            "invalid_request_error",
        )
        assert body["error"]["param"] == "reference"


async def test_a_provider_that_was_killed_is_not_up_by_what_it_left(tmp_path):
    """Its cell says that it serves, for ever: what counts is whether a process lives in it."""
    lock = lock_path(tmp_path, "provider-a")
    lock.parent.mkdir(parents=True)
    lock.touch()
    async with open_door(tmp_path) as door:
        with taking_up(tmp_path, "provider-a") as control:
            control.started()
            living = (await door.ask("GET", "/providers/providerA"))[2]
        CellWriter(tmp_path, "provider-a").serve()
        killed = (await door.ask("GET", "/providers/providerA"))[2]

    assert (living["state"], living["health"]) == ("serving", "up")
    assert (killed["state"], killed["health"]) == ("down", "down")
