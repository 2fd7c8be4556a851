"""Bugs of idempotency: one key, and more than one answer."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_KEYS = "actors.gateway.idempotency"
_TESTS = "actors/test_gateway_idempotency.py"

BUGS = (
    Planted(
        "body-not-compared",
        "another request under a known key is given the answer of the first",
        (
            Edit(
                f"{_KEYS}:seen_before",
                "record.request_hash != message.body.request_hash",
                "record.request_hash == ''",
            ),
        ),
        (seen_by(_TESTS, pick="another_body or another_payment"),),
    ),
    Planted(
        "decline-not-kept",
        "the key of a declined payment is forgotten: asked again, the card is charged again",
        (
            Edit(
                "actors.gateway.outcomes:_final",
                "*keys.answered(pending.key, status, moment)",
                "*(keys.answered(pending.key, status, moment) if status < 300 else ())",
            ),
        ),
        (seen_by(_TESTS, pick="decline_is_an_answer"),),
    ),
    Planted(
        "refusal-not-kept",
        "a final 409 is decided anew each time its key comes",
        (Edit(f"{_KEYS}:is_kept", "refusal.status == 409", "refusal.status == 0"),),
        (seen_by(_TESTS, pick="refusal_by_the_state_machine"),),
    ),
    Planted(
        "twin-decided",
        "a twin that comes while its key is worked on is decided as if it were the first",
        (
            Edit(
                f"{_KEYS}:seen_before",
                "if record is None or _is_old(record, message, moment):",
                "if record is None or not record.final or _is_old(record, message, moment):",
            ),
        ),
        (seen_by("actors/test_gateway_idempotency.py", "actors/test_gateway_twins.py"),),
    ),
    Planted(
        "provisional-taken-for-final",
        "a doubtful answer is the last one: the key never tells how it ended",
        (
            Edit(
                "actors.gateway.outcomes:_final",
                "*keys.answered(pending.key, status, moment)",
                "*(() if pending.told else keys.answered(pending.key, status, moment))",
            ),
        ),
        (seen_by(_TESTS, pick="provisional_until"),),
    ),
    Planted(
        "key-of-the-whole-house",
        "two merchants with the same key are one: the second gets the answer of the first",
        (
            Edit(
                f"{_KEYS}:key_of",
                'f"{command.merchant_id} {command.idempotency_key}"',
                'f"house {command.idempotency_key}"',
            ),
        ),
        (seen_by("actors/test_gateway_idempotency.py", "actors/test_gateway_twins.py"),),
    ),
    Planted(
        "key-expires-early",
        "a key is forgotten before its day is over",
        (
            Edit(
                f"{_KEYS}:_is_old",
                "now_ms >= record.expires_ms",
                "now_ms >= record.expires_ms - 3_600_000",
            ),
        ),
        (seen_by(_TESTS, pick="a_day_after"),),
    ),
    Planted(
        "unfinished-key-forgotten",
        "a key in doubt is thrown away with the expired ones",
        (Edit("actors.gateway.folds:_prune_keys", "if not record.final:", "if record is None:"),),
        (seen_by(_TESTS, pick="for_days or make_room"),),
    ),
    Planted(
        "old-letter-makes-a-second-payment",
        "a dead letter that is older than its key is replayed as if nobody had used it since",
        (
            Edit(
                f"{_KEYS}:must_not_outlive_its_key",
                "if moment.business_ms >= since_ms + KEY_MS:",
                "if moment.business_ms < since_ms:",
            ),
        ),
        (seen_by("scenarios/test_replayed_keys.py", pick="older_than"),),
        faults_only=True,
    ),
    Planted(
        "replay-forgets-its-key",
        "a dead letter is replayed anew once the key that would have answered it has expired",
        (Edit(f"{_KEYS}:_is_old", "if since_ms is None else since_ms", "if True else since_ms"),),
        (seen_by("scenarios/test_replayed_keys.py", pick="known_key"),),
        faults_only=True,
    ),
)
