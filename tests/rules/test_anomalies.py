"""What is odd in the use of cards, and what is not; each run is told once."""

from collections.abc import Iterable, Iterator
from itertools import count

import pytest
from msgspec.structs import replace

from payrail.domain import anomalies
from payrail.domain.anomalies import Anomaly, Kind, Watch
from payrail.domain.card_access import CardAccess
from payrail.domain.timestamps import iso, parse_iso

NOON_MS = parse_iso("2026-02-09T12:00:00.000Z")
LOOK = CardAccess(
    seq=1,
    at=iso(NOON_MS),
    who="usr_1",
    token="tok_1",
    purpose="support.last4",
    payment_id=None,
    correlation_id="cor_1",
    outcome="allowed",
    origin="http",
)


def after(lines: Iterable[CardAccess], step_ms: int = 1_000) -> Iterator[CardAccess]:
    """The same lines, one step after the other."""
    for number, line in enumerate(lines):
        yield replace(line, seq=number + 1, at=iso(NOON_MS + number * step_ms))


def seen(lines: Iterable[CardAccess], step_ms: int = 1_000) -> list[Anomaly]:
    watch = Watch()
    return [found for line in after(lines, step_ms) for found in watch.see(line)]


def kinds(lines: Iterable[CardAccess], step_ms: int = 1_000) -> list[Kind]:
    return [found.kind for found in seen(lines, step_ms)]


def refused(why: str, times: int) -> list[CardAccess]:
    return [replace(LOOK, outcome=f"refused:{why}")] * times


def test_more_look_ups_in_a_minute_than_a_person_makes_are_told_once():
    """The run is told at the line that is one too many, and not again while it goes on."""
    found = seen([LOOK] * 50)

    assert [one.kind for one in found] == [Kind.RATE]
    assert (found[0].seq, found[0].count) == (31, 31)
    assert (found[0].who, found[0].sentence) == (
        "usr_1",
        "31 look-ups by one asker within a minute",
    )


def test_look_ups_with_pauses_are_no_anomaly_however_many():
    """Thirty a minute, all day long, is somebody at work."""
    assert kinds([LOOK] * 300, step_ms=2_000) == []


def test_a_second_run_is_told_again():
    """After a quiet minute the count begins anew."""
    watch, found = Watch(), []
    for start_ms in (0, 120_000):
        for number in range(40):
            line = replace(LOOK, at=iso(NOON_MS + start_ms + number * 100))
            found += [one.kind for one in watch.see(line)]
    assert found == [Kind.RATE, Kind.RATE]


def test_one_user_reading_many_tokens_is_told():
    """Sixteen different cards in a minute: somebody leafs through them."""
    found = seen(replace(LOOK, token=f"tok_{n}") for n in range(20))
    assert [(one.kind, one.count, one.seq) for one in found] == [(Kind.BROWSING, 16, 16)]


def test_one_token_read_by_many_users_is_told_with_the_token():
    """Three colleagues may help with one card; the fourth within a minute is told."""
    found = seen(replace(LOOK, who=f"usr_{n % 4}") for n in range(12))
    assert [(one.kind, one.token, one.count) for one in found] == [(Kind.SHARED, "tok_1", 4)]
    assert kinds(replace(LOOK, who=f"usr_{n % 3}") for n in range(12)) == []


@pytest.mark.parametrize(
    ("why", "kind"),
    [
        ("unknown_token", Kind.GUESSING),
        ("purpose_missing", Kind.OFF_PURPOSE),
        ("purpose_refused", Kind.OFF_PURPOSE),
        ("role_refused", Kind.OFF_PURPOSE),
    ],
)
def test_refusals_in_a_row_are_told_and_a_yes_ends_the_row(why: str, kind: Kind):
    """The fifth in a row is told; four, a yes and four more are mistakes."""
    assert kinds(refused(why, 9)) == [kind]
    assert kinds([*refused(why, 4), LOOK, *refused(why, 4)]) == []


def test_a_card_that_does_not_open_is_told_once_whoever_asks():
    """A swapped or damaged ciphertext: the gateway's own charges show it too."""
    line = replace(LOOK, who="gateway", origin="mailbox", purpose="charge.authorize")
    found = seen([replace(line, outcome="refused:vault_record_mismatch")] * 3)
    assert [(one.kind, one.token) for one in found] == [(Kind.MISMATCH, "tok_1")]


@pytest.mark.parametrize(
    "line",
    [
        replace(LOOK, purpose="tokenize"),
        replace(LOOK, purpose="key.rotation"),
        replace(LOOK, who="gateway", origin="mailbox", purpose="charge.authorize"),
    ],
    ids=["a till tokenizes", "a rotation touches all", "the gateway charges"],
)
def test_work_of_the_house_is_no_anomaly(line: CardAccess):
    """A thousand cards a second is what the house is for."""
    assert kinds((replace(line, token=f"tok_{n}") for n in range(500)), step_ms=1) == []


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """Whoever was not seen for longest is forgotten; nobody's memory grows with their zeal."""
    monkeypatch.setattr(anomalies, "ASKERS_MAX", 10)
    monkeypatch.setattr(anomalies, "TOKENS_MAX", 10)
    watch, number = Watch(), count()
    for line in after([LOOK] * 1_000, step_ms=1):
        n = next(number)
        watch.see(replace(line, who=f"usr_{n % 100}", token=f"tok_{n % 70}"))

    assert len(watch._askers) == len(watch._tokens) == 10
    assert all(len(asker.looks) <= anomalies.LOOKS_MAX + 1 for asker in watch._askers.values())
