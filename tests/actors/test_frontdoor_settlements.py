"""Settlement over HTTP: who may what, whose lines are shown, what the reconciler is asked."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from tests.actors.doors import FakeActor, open_door

HEAD = (
    "payment_id,operation_id,type,provider,provider_reference,merchant_id,currency,gross,fee,net,"
    "occurred_at,batch_id,value_date\n"
)
DATE = "2026-02-09"
PATHS = ("/settlements", "/reconciliations")
SETTLEMENT = f"data/settlement/settlement_{DATE}.csv"
REPORT_FILE = f"data/reconciliation/reconciliation_report_{DATE}.json"
APPROVALS = "data/reconciliation/approvals.json"


def line(number: int, merchant: str) -> str:
    return (
        f"pi_{number},cap_{number},capture,providerA,pc_{number},{merchant},USD,5000,175,4825,"
        f"2026-02-09T12:00:00.000Z,providerA-{DATE}-01,{DATE}\n"
    )


def broken(n: int, merchant: str) -> dict[str, object]:
    posting = [
        {"account": "asset:providerA:payout_in_transit", "amount": 4815, "currency": "USD"},
        {"account": "asset:providerA:receivable", "amount": -4825, "currency": "USD"},
        {"account": "asset:suspense:recon:providerA", "amount": 10, "currency": "USD"},
    ]
    return {
        "n": n,
        "id": f"brk_{n}",
        "class": "amount",
        "payment_id": f"pi_{n}",
        "merchant_id": merchant,
        "currency": "USD",
        "difference": -10,
        "suggested_posting": posting,
    }


def row(number: int, merchant: str, statement: int = 4825) -> dict[str, object]:
    return {
        "payment_id": f"pi_{number}",
        "merchant_id": merchant,
        "status": "MATCHED" if statement == 4825 else "MISMATCHED",
        "currency": "USD",
        "captures": 1,
        "ledger": 4825,
        "statement": statement,
        "breaks": [] if statement == 4825 else [number],
    }


REPORT = {
    "date": DATE,
    "inputs": [],
    "counts": {
        "matched": 1,
        "mismatched": 2,
        "missing_ours": 0,
        "missing_theirs": 0,
        "expected": 0,
    },
    "totals": {"USD": {"ledger": 1, "statement": 1, "bank": 1, "explained": 0, "unexplained": 0}},
    "payments": [row(1, "m_001", 4815), row(2, "m_002", 4815), row(3, "m_001")],
    "breaks": [broken(1, "m_001"), broken(2, "m_002")],
}


@asynccontextmanager
async def a_door(home, *, answers=True):
    """A door with files of one date, and a reconciler that answers or does not."""
    files = {
        SETTLEMENT: HEAD + line(1, "m_001") + line(2, "m_002"),
        REPORT_FILE: json.dumps(REPORT),
        APPROVALS: json.dumps({"postings": [{"break_id": "brk_1", "status": "proposed"}]}),
    }
    for path, text in files.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
    told: tuple[int, dict[str, str], bytes] = (
        200,
        {},
        b'{"object":"settlement_run","status":"done"}',
    )
    reconciler = FakeActor(home, "reconciler", lambda _e: told if answers else None)
    async with open_door(home, budget_ms=2_000 if answers else 100) as door:
        living = asyncio.create_task(reconciler.live())
        try:
            yield door, reconciler
        finally:
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)


@pytest.mark.parametrize("path", PATHS)
async def test_an_admin_and_an_operator_may_order_a_run(tmp_path, path):
    """With or without a date; nobody else may, and a date must be one."""
    async with a_door(tmp_path) as (door, reconciler):
        assert (await door.ask("POST", path, {}))[0] == 200
        operator = door.key("operator")
        assert (await door.ask("POST", path, {"date": DATE}, key=operator))[0] == 200
        assert (await door.ask("POST", path, key=door.service))[0] == 200
        for role in ("approver", "viewer", "auditor"):
            assert (await door.ask("POST", path, {}, key=door.key(role)))[0] == 403
        for bad in ("x", "2026-02-30", 7):
            assert (await door.ask("POST", path, {"date": bad}))[0] == 422
        assert (await door.ask("POST", path, {"dat": DATE}))[0] == 422

        asked = [json.loads(bytes(envelope.body)) for envelope in reconciler.asked]
        assert [one["date"] for one in asked] == [None, DATE, None]
        assert asked[0]["user_id"] == "usr_m001_admin"


async def test_a_run_that_takes_longer_is_accepted(tmp_path):
    """202 and when to ask again; the key goes with the order."""
    async with a_door(tmp_path, answers=False) as (door, reconciler):
        status, headers, body = await door.ask("POST", "/settlements", {}, Idempotency_Key="k-1")
        assert (status, headers["Retry-After"], body["status"]) == (202, "1", "running")
        assert json.loads(bytes(reconciler.asked[0].body))["idempotency_key"] == "k-1"


async def test_a_merchant_sees_its_own_lines(tmp_path):
    """The house sees all of the file, a merchant its part; another's payment is nowhere."""
    async with a_door(tmp_path) as (door, _):
        _, _, whole = await door.ask("GET", f"/settlements/{DATE}.csv", key=door.service)
        assert whole == HEAD + line(1, "m_001") + line(2, "m_002")
        _, _, own = await door.ask("GET", f"/settlements/{DATE}.csv")
        assert own == HEAD + line(1, "m_001")
        _, _, summed = await door.ask("GET", f"/settlements/{DATE}")
        assert (summed["lines"], summed["totals"]["USD"]["net"]) == (1, 4825)
        _, _, files = await door.ask("GET", "/settlements")
        assert [one["date"] for one in files["data"]] == [DATE]


async def test_a_merchant_sees_its_own_part_of_a_report(tmp_path):
    """Counted again; each break tells what became of its posting."""
    async with a_door(tmp_path) as (door, _):
        _, _, whole = await door.ask("GET", f"/reconciliations/{DATE}", key=door.service)
        assert (len(whole["breaks"]), whole["counts"]) == (2, REPORT["counts"])
        assert [one["resolution"] for one in whole["breaks"]] == [
            {"break_id": "brk_1", "status": "proposed"},
            None,
        ]
        _, _, own = await door.ask("GET", f"/reconciliations/{DATE}")
        assert [one["id"] for one in own["breaks"]] == ["brk_1"]
        assert (own["counts"]["matched"], own["counts"]["mismatched"]) == (1, 1)
        assert own["totals"]["USD"] == {
            "ledger": 9650,
            "statement": 9640,
            "explained": -10,
            "bank": None,
            "unexplained": 0,
        }
        assert "m_002" not in json.dumps(own)


SPOILT = {
    SETTLEMENT: (b"", b"a,b\n1,2\n", b"\xff\xfe\n", HEAD.encode() + b"x" * 200_000),
    REPORT_FILE: (b"", b"[]", b"{}", b"\0", b'{"breaks":[5]}'),
    APPROVALS: (b"{", b"[]", b'{"postings":[5]}'),
}


@pytest.mark.parametrize(
    ("path", "data"), [(path, data) for path, all_of in SPOILT.items() for data in all_of]
)
async def test_a_file_that_people_spoilt_is_named_with_a_remedy(tmp_path, path, data):
    """Whoever looks at it is answered at once, and nothing is our fault."""
    async with a_door(tmp_path) as (door, _):
        (tmp_path / path).write_bytes(data)
        urls = [f"/reconciliations/{DATE}", "/reconciliations"]
        if path == SETTLEMENT:
            urls = [f"/settlements/{DATE}.csv"]
        for url in urls:
            status, _headers, body = await door.ask("GET", url)
            assert (status, body["code"]) == (503, "file-damaged"), url
            assert body["detail"].startswith(f"{path} is not as it was written; `payrail re") or (
                path == SETTLEMENT and f"`payrail settle --date {DATE}`" in body["detail"]
            )


async def test_a_posting_is_proposed_and_approved_by_roles_that_may(tmp_path):
    """Operator and admin propose, approver and admin approve; the user goes with the order."""
    async with a_door(tmp_path) as (door, reconciler):
        path = f"/reconciliations/{DATE}/breaks/1"
        for verb, may, may_not in (
            ("propose", ("operator", "admin"), ("approver", "viewer", "auditor")),
            ("approve", ("approver", "admin"), ("operator", "viewer", "auditor")),
        ):
            for role in may:
                status, _, _ = await door.ask("POST", f"{path}/{verb}", key=door.key(role))
                assert status == 200
            for role in may_not:
                status, _, _ = await door.ask("POST", f"{path}/{verb}", key=door.key(role))
                assert status == 403
        asked = [json.loads(bytes(envelope.body)) for envelope in reconciler.asked]
        assert {(one["number"], one["merchant_id"]) for one in asked} == {(1, "m_001")}
        assert [one["user_id"] for one in asked] == [
            "usr_m001_operator",
            "usr_m001_admin",
            "usr_m001_approver",
            "usr_m001_admin",
        ]


@pytest.mark.parametrize(
    "path",
    [
        "/settlements/2026-02-10",
        "/settlements/2026-02-10.csv",
        "/settlements/..%2F..%2Fsecrets",
        "/reconciliations/2026-02-10",
        "/reconciliations/x",
    ],
)
async def test_what_is_not_there_is_404(tmp_path, path):
    """A date without a file, and what is no date."""
    async with a_door(tmp_path) as (door, _):
        assert (await door.ask("GET", path))[0] == 404
        assert (await door.ask("POST", f"/reconciliations/{DATE}/breaks/0/approve"))[0] == 404
