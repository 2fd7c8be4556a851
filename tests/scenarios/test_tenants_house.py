"""Whose key may do what, and see whose things: every route of a running house, out of its own
OpenAPI document, for every role and for strangers, on one's own, another's and an unknown id."""

import statistics
import time
from collections.abc import Iterator

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.shop import Answer, Shop
from tests.scenarios.tenants import (
    BODIES,
    IN_BODIES,
    IN_QUERIES,
    NEEDS_BODY,
    OPEN,
    ROLES,
    STRANGERS,
    UNKNOWN,
    Operation,
    Tenant,
    furnished,
    operations,
)

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(300)]

SINK = "https://93.184.215.14/hooks"  # an address, so that no test asks a name server
NEVER = "nothing-is-named-so"
#: Pairs of requests whose times are compared.
PAIRS = 200


@pytest.fixture(scope="module")
def mine(house: House, shop: Shop) -> Tenant:
    return furnished(shop, house.vault, SINK)


@pytest.fixture(scope="module")
def theirs(house: House) -> Tenant:
    return furnished(Shop(house, "m_002"), house.vault, SINK)


@pytest.fixture(scope="module")
def routes(house: House, shop: Shop) -> list[Operation]:
    return [*operations(shop, house.api), *operations(shop, house.vault)]


#: What the internal secret opens, and no key of a merchant.
INSIDE = {"/charge-token", "/rotate-keys", "/unlock", "/protect"}


def closed(routes: list[Operation]) -> Iterator[Operation]:
    return (route for route in routes if not route.is_open and route.roles is not None)


def said(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """All of an answer that tells anything."""
    headers = {name: text for name, text in answer.headers.items() if name != "Date"}
    return answer.status, answer.bytes, headers


def test_every_route_says_who_may(routes: list[Operation]) -> None:
    """A route names its roles, or is one of the few that are open or take another secret; whose
    the id in its path is stands in the table of tests/scenarios/tenants.py."""
    unsaid = []
    for route in routes:
        is_listed = route.path in OPEN if route.is_open else route.roles is not None
        if not is_listed and route.path not in INSIDE:
            unsaid.append(f"{route.name}: declare `roles` on its Route")
        try:
            _ = route.kind
        except StopIteration:
            unsaid.append(f"{route.name}: say in OWNERS whose it is")
    assert not unsaid, "\n".join(unsaid)


def test_a_stranger_may_nothing_and_a_role_what_the_document_says(
    routes: list[Operation], mine: Tenant, theirs: Tenant
) -> None:
    """Without a key, with a wrong one or a revoked one: 401. With a role that is not named: 403.
    With one that is: neither. All of it before the id, so that none of them tells whose it is."""
    wrong = []
    for route in closed(routes):
        kind = route.kind
        fitting = NEEDS_BODY.get(route.path)
        ids: list[str | None] = [theirs.ids.get(kind), UNKNOWN[kind]] if kind else [NEVER]
        if kind and route.method != "DELETE":  # One's own would be gone.
            ids.append(mine.ids.get(kind))
        for who in (*ROLES, *STRANGERS):
            for ident in filter(None, ids):
                # Nothing comes of half a body.
                raw = None if route.method == "GET" or fitting else b"["
                answer = mine.ask(route, who, route.filled(ident), fitting, raw)
                code = answer.body.get("code") if isinstance(answer.body, dict) else None
                if who in STRANGERS:
                    fits = (answer.status, code) == (401, "unauthenticated")
                elif who in (route.roles or ()):
                    fits = answer.status not in (401, 403) and answer.status < 500
                else:
                    fits = (answer.status, code) == (403, "forbidden")
                if not fits:
                    wrong.append(f"{route.name} as {who}: {answer.status} {code}")
    assert not wrong, "\n".join(wrong)


def test_no_key_of_a_merchant_opens_what_takes_the_internal_secret(
    routes: list[Operation], mine: Tenant
) -> None:
    """Cards in a seal, the vault's keys and its passphrases: 401 for every role."""
    inside = [route for route in routes if route.path in INSIDE]
    answers = {
        (route.name, who): mine.ask(route, who, route.path, {}).status
        for route in inside
        for who in (*ROLES, *STRANGERS)
    }
    assert {route.path for route in inside} == INSIDE
    assert set(answers.values()) == {401}, answers


def test_anothers_id_is_as_unknown_as_one_that_never_was(
    routes: list[Operation], mine: Tenant, theirs: Tenant
) -> None:
    """Status, body and headers are the same, byte for byte, for every role that may ask; a look at
    one's own is answered."""
    wrong = []
    for route in closed(routes):
        kind = route.kind
        if kind is None or kind not in mine.ids:
            continue
        body = None if route.method in ("GET", "DELETE") else BODIES.get(route.path, {})
        for who in route.roles or ():
            asked = [
                mine.ask(route, who, route.filled(ident), body)
                for ident in (theirs.ids[kind], UNKNOWN[kind])
            ]
            if said(asked[0]) != said(asked[1]) or asked[0].status != 404:
                wrong.append(f"{route.name} as {who}: {[one.status for one in asked]}")
            if route.method == "GET":
                own = mine.ask(route, who, route.filled(mine.ids[kind])).status
                wrong += [] if own == 200 else [f"{route.name} as {who}, one's own: {own}"]
    assert not wrong, "\n".join(wrong)


def test_anothers_id_in_a_body_or_a_query_is_as_unknown(
    routes: list[Operation], mine: Tenant, theirs: Tenant
) -> None:
    """An order about somebody else's payment, user or token is refused as one about nothing, and a
    list that is filtered by their id is as empty as one that is filtered by none."""
    known, wrong = {route.name: route for route in closed(routes)}, []
    for path, name, kind, more in IN_BODIES:
        route = known.get(f"POST {path}")
        if route is not None:
            asked = [
                mine.ask(route, "admin", path, {name: ident, **more})
                for ident in (theirs.ids[kind], UNKNOWN[kind])
            ]
            if said(asked[0]) != said(asked[1]) or asked[0].status not in (404, 422):
                wrong.append(f"{route.name} with {name}: {[one.body for one in asked]}")
    for route in known.values():
        for name in set(route.query) & set(IN_QUERIES) if "{" not in route.path else ():
            ids = theirs.ids[IN_QUERIES[name]], UNKNOWN[IN_QUERIES[name]]
            pair = [mine.ask(route, "admin", f"{route.path}?{name}={ident}") for ident in ids]
            if said(pair[0]) != said(pair[1]):
                wrong.append(f"{route.name}?{name}=: {[one.body for one in pair]}")
    assert not wrong, "\n".join(wrong)


def test_no_list_shows_anothers_rows(routes: list[Operation], mine: Tenant, theirs: Tenant) -> None:
    """Whatever a merchant can look at without an id, in each role, names nothing of another's; nor
    does a settlement file, a report, or a mailbox, where the house keeps all of them together."""
    assert mine.shop.post("/settlements", {}).status in (200, 202)
    places = {
        "/settlements/{date}": [r["date"] for r in mine.shop.get("/settlements").body["data"]],
        "/actors/{name}/mailbox": ["gateway", "vault", "provider-a"],
    }
    wrong = []
    for asker, other in ((mine, theirs), (theirs, mine)):
        hidden = [ident.encode() for ident in other.ids.values()]
        for route in closed(routes):
            if route.method != "GET" or route.kind is not None:
                continue
            paths = [route.path]
            if "{" in route.path:
                found = places.get(route.path.replace(".csv", ""), [])
                paths = [route.filled(ident) for ident in found]
            for who in route.roles or ():
                for path in paths:
                    data = asker.ask(route, who, path).bytes
                    wrong += [f"{path} as {who}: {one!r}" for one in hidden if one in data]
    assert not wrong, "\n".join(wrong)


def test_anothers_id_takes_as_long_as_none(mine: Tenant, theirs: Tenant) -> None:
    """The time of the answer tells nothing either: medians of requests in turns."""
    ids = {"theirs": theirs.ids["payment"], "none": UNKNOWN["payment"]}
    times: dict[str, list[float]] = {name: [] for name in ids}
    for _ in range(PAIRS):
        for name, ident in ids.items():
            begun = time.perf_counter()
            assert mine.shop.get(f"/payment-intents/{ident}").status == 404
            times[name].append(time.perf_counter() - begun)
    theirs_s, none_s = (statistics.median(times[name]) for name in ids)
    assert abs(theirs_s - none_s) < 0.0005 + 0.25 * none_s
