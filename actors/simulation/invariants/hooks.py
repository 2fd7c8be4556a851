"""Webhooks, both ways: every event arrives under its own id and bytes; every notice counts once."""

import hmac
from base64 import b64decode, b64encode
from collections import Counter

from actors.simulation.evidence import Asked, Evidence, Heard
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import DELIVERIES, OUTBOX, Row, decoded
from payrail.domain.endpoints import ENABLED, Endpoint
from payrail.domain.webhooks import wants
from payrail.runtime.deadletters import book_path
from payrail.runtime.recovery import journal_path
from payrail.security.webhook_secrets import webhook_secret
from payrail.storage.lines import without_links

PROVIDERS = ("provider-a", "provider-b")
NOTICES = "/webhooks/provider"
FORGER = "forger"
_NOTICES = ("provider.notice", "dispute.notice")


def webhooks_are_the_events(evidence: Evidence) -> list[str]:
    """What an endpoint hears is a line of the outbox, byte for byte, under the event's id, signed;
    what the book of deliveries says was answered like that."""
    bodies = {
        str(row["id"]): (row, evidence.books.lines(OUTBOX)[row.number - 1])
        for row in evidence.books.rows(OUTBOX)
    }
    found = []
    answers: Counter[tuple[str, str, int | None]] = Counter()
    for heard in evidence.heard:
        answers[heard.endpoint_id, heard.webhook_id, heard.status] += 1
        what = f"{heard.webhook_id} at {heard.endpoint_id}"
        if heard.webhook_id not in bodies:
            found.append(f"{what} is no event")
        elif heard.body != without_links(bodies[heard.webhook_id][1]):
            found.append(f"{what} has other bytes than {bodies[heard.webhook_id][0].place}")
        elif not _is_signed(evidence, heard):
            found.append(f"{what} is not signed by its endpoint's secret")
    if evidence.heard:
        found += _said_and_not_heard(evidence, answers)
    return found


def _said_and_not_heard(
    evidence: Evidence, answers: Counter[tuple[str, str, int | None]]
) -> list[str]:
    found = []
    for row in evidence.books.rows(DELIVERIES):
        key = (str(row["endpoint_id"]), str(row["event_id"]), row["status"])
        if key[2] is None:
            continue
        answers[key] -= 1
        if answers[key] < 0:
            found.append(f"{key[1]}: {key[2]} in the book, and nobody said so ({row.place})")
    return found


def _is_signed(evidence: Evidence, heard: Heard) -> bool:
    endpoint = evidence.endpoints.get(heard.endpoint_id)
    if evidence.house_secret is None or endpoint is None or not heard.headers:
        return True
    at = heard.headers.get("webhook-timestamp", "")
    signed = b"%b.%b.%b" % (heard.webhook_id.encode(), at.encode(), heard.body)
    given = heard.headers.get("webhook-signature", "").split()
    for version in range(1, endpoint.version + 1):
        text = webhook_secret(evidence.house_secret, endpoint.id, version)
        secret = b64decode(text.removeprefix("whsec_"))
        if f"v1,{b64encode(hmac.digest(secret, signed, 'sha256')).decode()}" in given:
            return True
    return False


def every_event_arrives(evidence: Evidence) -> list[str]:
    """At rest, each event that an endpoint wants has come there at least once, or its delivery was
    given up in sight of people."""
    arrived = {
        (one.endpoint_id, one.webhook_id)
        for one in evidence.heard
        if one.status is not None and 200 <= one.status < 300
    }
    given_up = b"\n".join(evidence.books.lines(book_path("dispatcher")))
    found = []
    for endpoint in evidence.endpoints.values():
        if endpoint.state != ENABLED or endpoint.id in evidence.once_disabled:
            continue
        for row in evidence.books.rows(OUTBOX):
            if not _is_for(endpoint, row) or (endpoint.id, row["id"]) in arrived:
                continue
            if f'"{row["id"]}"'.encode() not in given_up:
                found.append(f"{row['id']} never came to {endpoint.id} ({row.place})")
    return found if "dispatcher" in evidence.live else []


def _is_for(endpoint: Endpoint, row: Row) -> bool:
    return (
        row["merchant_id"] == endpoint.merchant_id
        and int(row["seq"]) > endpoint.after_seq
        and wants(endpoint.events, str(row["type"]))
    )


def notices_count_once(evidence: Evidence) -> list[str]:
    """Nobody believes a forged notice; the gateway hears only what a provider owed, and what was
    told twice is booked once."""
    found = [
        f"a forged {asked.method} {asked.path} was answered {asked.status}"
        for asked in evidence.asked
        if asked.role == FORGER and asked.status is not None and not _is_refused(asked)
    ]
    owed, came = _owed(evidence), _came(evidence)
    for ident, place in came.items():
        if ident not in owed and not (evidence.rotten or evidence.held):
            found.append(f"{ident} came, and no provider owed it ({place})")
    if evidence.is_quiet:
        found += [
            f"{one} was owed and never came ({at})" for one, at in owed.items() if one not in came
        ]
    return found + _booked_twice(evidence)


def _is_refused(asked: Asked) -> bool:
    return asked.status in (400, 401, 403, 404, 413, 429, 503)


def _owed(evidence: Evidence) -> dict[str, str]:
    """Notices that providers owe, by id, and where they say so."""
    found = {}
    for name in PROVIDERS:
        for step in evidence.books.steps(name) if name in evidence.actors else ():
            for raw in map(bytes, step.events):
                if b'"notice.owed"' in raw[:64]:
                    ident = decoded(raw)["notice"]["id"]
                    found[ident] = f"{journal_path(name)}:{step.s}"
    return found


def _came(evidence: Evidence) -> dict[str, str]:
    found = {}
    for step in evidence.books.steps("gateway"):
        if step.in_.kind in _NOTICES:
            ident = decoded(bytes(step.in_.line))["body"]["notice_id"]
            found[ident] = f"{journal_path('gateway')}:{step.s}"
    return found


def _booked_twice(evidence: Evidence) -> list[str]:
    """One outcome of one call is one entry, however often it was told."""
    seen: dict[tuple[str, str], str] = {}
    found = []
    for entry in evidence.books.entries:
        if entry.fact.type not in _OUTCOMES:
            continue
        key = (entry.fact.type, entry.fact.data.reference)
        if key in seen:
            found.append(f"{key[1]}: {key[0]} is booked twice ({seen[key]}, {entry.place})")
        seen[key] = entry.place
    return found


_OUTCOMES = frozenset(
    {"payment.authorized", "payment.captured", "payment.late_approval_reversed"}
    | {"refund.succeeded", "refund.failed"}
)

INVARIANTS = (
    Invariant("I11", "a webhook is its event, byte for byte", webhooks_are_the_events),
    Invariant("I11b", "every event arrives", every_event_arrives, needs_rest=True),
    Invariant("I19", "a notice is authentic, and counts once", notices_count_once),
)
