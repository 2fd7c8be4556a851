"""Webhooks out: every event of a merchant reached its endpoint, and the book of attempts is true.

Read off the outbox, the book of endpoints, the book of deliveries and the dead letters; where there
was a sink that kept a witness file (`at, merchant, webhook_id, body_sha, status`, status 0 for a
hang-up), what it says beside them. An attempt that a kill cut off may have no line in the book, so
the sink may have heard more than the book tells, never less.
"""

import hashlib
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.auditor.files import Line, raw_lines, read_plain
from tests.auditor.ledger import OUTBOX
from tests.auditor.report import Report

DELIVERIES = "data/outbox/deliveries.jsonl"
CHANGES = "data/access/changes.jsonl"
DEAD = "mailboxes/dlq/dispatcher.jsonl"
_LINKS = re.compile(rb',"prev":"[0-9a-f]{64}","hash":"[0-9a-f]{64}"\}\Z')


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as it was registered. It is not told what was booked before."""

    merchant_id: str
    after_seq: int
    filters: tuple[str, ...]

    def wants(self, event: Line) -> bool:
        kind = str(event["type"])
        family = f"{kind.partition('.')[0]}.*"
        listed = not self.filters or bool({"*", kind, family} & set(self.filters))
        return event["merchant_id"] == self.merchant_id and event["seq"] > self.after_seq and listed


def check_deliveries(books: dict[str, list[Line]], report: Report) -> None:
    """Attempts count from 1 without a gap, end at 2xx, and give up only with a dead letter."""
    endpoints, events = _endpoints(books), {line["id"]: line for line in books.get(OUTBOX, [])}
    letters = _letters(books)
    due: dict[tuple[str, str], int] = {}  # the next attempt; 0: the delivery has ended
    for line in books.get(DELIVERIES, []):
        report.saw("deliveries")
        pair = line["endpoint_id"], line["event_id"]
        endpoint, event = endpoints.get(pair[0]), events.get(pair[1])
        if endpoint is None or event is None or not endpoint.wants(event):
            _wrong(line, "an attempt that no endpoint or event explains", report)
        expected = due.get(pair, 1)
        if not expected and letters[pair]:
            expected = 1  # given up, and replayed by people
        if line["attempt"] != expected:
            _wrong(line, f"attempt {line['attempt']} where {expected or 'none'} was due", report)
        due[pair] = _after(line, letters[pair], report)


def _after(line: Line, letters: int, report: Report) -> int:
    """The number of the attempt that may follow this one, 0 for none."""
    if line["status"] is not None and 200 <= line["status"] < 300:
        if line["next_at"] is not None:
            _wrong(line, "received, and yet to be tried again", report)
        return 0
    if line["next_at"] is None:
        if not letters:
            _wrong(line, "given up without a dead letter", report)
        return 0
    return int(line["attempt"]) + 1


def _endpoints(books: dict[str, list[Line]]) -> dict[str, Endpoint]:
    found = {}
    for line in books.get(CHANGES, []):
        if line["type"] == "endpoint.added":
            filters = tuple(line["events"] or ())
            found[line["endpoint_id"]] = Endpoint(line["merchant_id"], line["after_seq"], filters)
        elif line["type"] == "endpoint.updated" and line["endpoint_id"] in found:
            known = found[line["endpoint_id"]]
            filters = tuple(line["events"] or ())
            found[line["endpoint_id"]] = Endpoint(known.merchant_id, known.after_seq, filters)
    return found


def _letters(books: dict[str, list[Line]]) -> Counter[tuple[str, str]]:
    """How often (endpoint, event) was given up. The event stands there as the list of its places:
    seq, id and so on."""
    bodies = [
        (line["message"] or {}).get("body", {})
        for line in books.get(DEAD, [])
        if line["why"] == "exhausted"
    ]
    # The event stands there as a list: its number, then its id.
    return Counter((body["endpoint_id"], body["event"][1]) for body in bodies)


def check_sink(home: Path, sink: Path, books: dict[str, list[Line]], report: Report) -> None:
    """Every event that an endpoint is to get arrived there under its id with its bytes, and the
    book tells of no answer that the sink did not give."""
    endpoints, events = _endpoints(books), {line["id"]: line for line in books.get(OUTBOX, [])}
    bodies = _bodies(home, events)
    answers: Counter[tuple[str, str, Any]] = Counter()  # (merchant, event, status)
    arrived: dict[str, set[str]] = defaultdict(set)  # merchants by event
    for number, seen in read_plain(sink, report, "sink"):
        report.saw("sink")
        place = str(sink), number
        webhook_id, merchant = seen["webhook_id"], seen["merchant"]
        answers[merchant, webhook_id, seen["status"]] += 1
        if seen.get("refused"):
            report.add("sink", *place, f"{webhook_id}: {seen['refused']}")
        if webhook_id not in events or events[webhook_id]["merchant_id"] != merchant:
            report.add("sink", *place, f"{webhook_id}: no event of {merchant}")
        elif seen["body_sha"] != bodies[webhook_id]:
            report.add("sink", *place, f"{webhook_id}: other bytes than its line in the outbox")
        if 200 <= seen["status"] < 300:
            arrived[webhook_id].add(merchant)
    for event in events.values():
        for endpoint in endpoints.values():
            if endpoint.wants(event):
                report.saw("every event at the sink")
                if endpoint.merchant_id not in arrived[event["id"]]:
                    message = f"{event['id']} never arrived at the endpoint of its merchant"
                    report.add("every event at the sink", event.path, event.number, message)
    _answered(books, endpoints, answers, report)


def _bodies(home: Path, events: dict[str, Line]) -> dict[str, str]:
    """SHA-256 of what is sent of each event: its line without `prev` and `hash`."""
    raw, _rest = raw_lines(home, OUTBOX)
    return {
        name: hashlib.sha256(_LINKS.sub(b"}", raw[line.number - 1])).hexdigest()
        for name, line in events.items()
    }


def _answered(
    books: dict[str, list[Line]],
    endpoints: dict[str, Endpoint],
    answers: Counter[tuple[str, str, Any]],
    report: Report,
) -> None:
    """Each status in the book was given by the sink, as often as the book says."""
    for line in books.get(DELIVERIES, []):
        endpoint = endpoints.get(line["endpoint_id"])
        if endpoint is None or line["status"] is None:
            continue
        key = endpoint.merchant_id, line["event_id"], line["status"]
        answers[key] -= 1
        if answers[key] < 0:
            message = f"{key[1]}: {key[2]} in the book, and the sink gave no such answer"
            report.add("deliveries", line.path, line.number, message)


def _wrong(line: Line, message: str, report: Report) -> None:
    message = f"{line['event_id']} to {line['endpoint_id']}: {message}"
    report.add("deliveries", line.path, line.number, message)
