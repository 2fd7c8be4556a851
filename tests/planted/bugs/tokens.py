"""Bugs of tokens that end: a card that is told to be deleted and opens, a token that pays twice."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_TESTS = "actors/test_vault_tokens.py"
_SHRED = "actors.vault.cardkeys:shred_card"
_DELETE = "actors.vault.deletion:delete"

BUGS = (
    Planted(
        "deleted-before-its-key-is-gone",
        "a deletion is answered while the card's own key still stands",
        (
            Edit(
                _DELETE,
                "step.errands = [_shred(order.token, event.slot, message.correlation_id)]",
                "step.errands = [_shred(order.token, event.slot, message.correlation_id)]\n"
                "        step.replies = answer(message, 200, _view(order.token, shredded=True))",
            ),
        ),
        (seen_by(_TESTS, pick="answered_when"),),
    ),
    Planted(
        "key-not-overwritten",
        "the key of a deleted card stays in its slot, and every copy of the card opens",
        (Edit(_SHRED, "file.pwrite(order.slot * SLOT_BYTES, bytes(SLOT_BYTES))", "pass"),),
        (seen_by(_TESTS, pick="no_copy"),),
    ),
    Planted(
        "zeros-not-durable",
        "a power cut brings back the key of a card that was told to be deleted",
        (Edit(_SHRED, "file.sync()", "pass"),),
        (seen_by("scenarios/test_crash_points.py", pick="tokens and whatever"),),
        faults_only=True,
    ),
    Planted(
        "shredding-forgotten",
        "a deletion that a crash has cut short is never gone on with",
        (
            Edit(
                "actors.vault.deletion:opened",
                "for token, one in state.shredding.items()",
                "for token, one in ()",
            ),
        ),
        (seen_by(_TESTS, pick="start_shreds"),),
    ),
    Planted(
        "slot-used-twice",
        "each incarnation of the vault puts its keys where those of older cards stand",
        (
            Edit(
                "actors.vault.cardkeys:CardKeys._make_block",
                "first = -(-file.size() // SLOT_BYTES)",
                "first = 0",
            ),
        ),
        (seen_by(_TESTS, pick="no_slot"),),
    ),
    Planted(
        "card-key-not-durable",
        "a card is stored under a key of its own that a power cut takes",
        (Edit("actors.vault.cardkeys:CardKeys._make_block", "file.sync()", "pass"),),
        (seen_by(_TESTS, pick="block_is_durable"),),
    ),
    Planted(
        "deleted-card-still-known",
        "the gateway is not told of a deletion, and new payments name the card",
        (Edit(_DELETE, 'step.out = [Send("gateway"', 'step.out = [] and [Send("gateway"'),),
        (seen_by(_TESTS, pick="answered_when"),),
    ),
    Planted(
        "anyone-deletes",
        "a merchant deletes the card of another",
        (
            Edit(
                "actors.vault.deletion:_deleted",
                "state.token_of(order.token, order.merchant_id)",
                "state.token_of(order.token, None)",
            ),
        ),
        (seen_by(_TESTS, pick="deletion_that_is_refused"),),
    ),
    Planted(
        "single-use-serves-many",
        "a token for one payment serves every payment",
        (
            Edit(
                "actors.vault.usage:must_serve",
                "record.used_by not in (None, payment_id)",
                "not payment_id",
            ),
        ),
        (seen_by(_TESTS, pick="single_use"),),
    ),
    Planted(
        "single-use-serves-one-attempt",
        "a token for one payment refuses that payment's second attempt",
        (
            Edit(
                "actors.vault.usage:must_serve",
                "record.used_by not in (None, payment_id)",
                "record.used_by is not None",
            ),
        ),
        (seen_by(_TESTS, pick="single_use"),),
    ),
    Planted(
        "token-ends-by-the-wall",
        "a token ends by wire time, and whoever moves business time sees nothing of it",
        (Edit("actors.vault.usage:must_serve", "moment.business_ms", "moment.wire_ms"),),
        (seen_by(_TESTS, pick="ends_by_business"),),
    ),
    Planted(
        "every-page-stores-cards",
        "a page of any origin may call the vault from a browser",
        (Edit("payrail.web.cors:let_in", "origin is not None and origin in origins", "origin"),),
        (seen_by("actors/test_vault_token_door.py", pick="no_other_page"),),
    ),
)
