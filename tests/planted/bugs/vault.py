"""Bugs of the vault and of secrets: a card that leaves unseen, or for somebody else."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_VAULT = "actors.vault.core"
_TESTS = "actors/test_vault_core.py"

BUGS = (
    Planted(
        "card-before-its-line",
        "a card leaves the vault before the access log says so",
        (
            Edit(
                "payrail.runtime.loop:Loop.synced",
                "[*_posts(after), *shows, *_publishes(after), *_answers(after)",
                "[*shows, *_publishes(after), *_answers(after), *_posts(after)",
            ),
        ),
        (seen_by("runtime/test_loop.py", pick="before_it_is_synced"),),
        faults_only=True,
    ),
    Planted(
        "charge-without-a-line",
        "a card that is charged leaves no line in the access log",
        (Edit(f"{_VAULT}:Vault._charge", 'posts=[line("allowed")],', ""),),
        (seen_by(_TESTS, pick="charge_leaves"),),
    ),
    Planted(
        "refusal-without-a-line",
        "whoever was refused a card is not in the access log",
        (
            Edit(
                f"{_VAULT}:Vault._look_up",
                'posts=[line(f"refused:{withheld.code}")], replies',
                "replies",
            ),
        ),
        (seen_by(_TESTS, pick="look_up_leaves"),),
    ),
    Planted(
        "any-purpose-will-do",
        "a sealed card is given for whatever reason is named",
        (Edit(f"{_VAULT}:_must_suit", "if purpose not in PURPOSES_OF", "if not PURPOSES_OF"),),
        (seen_by(_TESTS, pick="refused_charge or look_up"),),
    ),
    Planted(
        "another-merchants-card",
        "a token is good for every merchant of the house",
        (
            Edit(
                f"{_VAULT}:_find",
                "state.token_of(token, merchant_id)",
                "state.token_of(token, None)",
            ),
        ),
        (seen_by(_TESTS, pick="refused_charge or look_up"),),
    ),
    Planted(
        "ciphertext-not-bound",
        "a stored card that was moved to another token opens there",
        (
            Edit(
                "actors.vault.cipher:VaultKeys._plain",
                "(plain.t, plain.k) != (token, stored.key_id)",
                "not plain.t",
            ),
        ),
        (seen_by("actors/test_vault_tokens.py", pick="for_another_token"),),
    ),
    Planted(
        "sealed-for-the-wrong-provider",
        "a card is sealed for the first provider, whoever is to charge it",
        (
            Edit(
                f"{_VAULT}:Vault._sealed",
                "seal_for(_public(provider),",
                'seal_for("providerA",',
            ),
        ),
        (seen_by("actors/test_vault_core.py", "scenarios/test_failover.py"),),
    ),
    Planted(
        "seal-not-bound",
        "a sealed card opens for another charge than the one it was sealed for",
        (Edit("payrail.security.sealing:_bound", '"where": dict(where)', '"where": {}'),),
        (seen_by("rules/test_sealing.py", pick="occasion"),),
    ),
    Planted(
        "fingerprint-without-a-key",
        "the fingerprint of a card is a plain hash, and is guessed in minutes",
        (
            Edit(
                "actors.vault.cipher:VaultKeys.fingerprint",
                "hmac.new(self._fingerprint_key, text, hashlib.sha256)",
                "hashlib.sha256(text)",
            ),
        ),
        (seen_by(_TESTS, pick="fingerprint"),),
    ),
    Planted(
        "number-in-the-access-log",
        "a card number that was sent in place of a token is written down as it came",
        (Edit("actors.vault.access:shown_token", "if looks_like_one else", "if token else"),),
        (seen_by(_TESTS, pick="not_logged"),),
    ),
    Planted(
        "number-in-a-log",
        "a log line shows a card number in clear",
        (Edit("payrail.logs:masked", "return mask_pans(text)", "return text"),),
        (seen_by("runtime/test_logs.py"),),
    ),
    Planted(
        "mac-compared-with-==",
        "the proof in a key is compared in time that tells how much of it is right",
        (
            Edit(
                "payrail.security.apikeys:is_genuine",
                "hmac.compare_digest(made, presented.mac)",
                "made == presented.mac",
            ),
        ),
        (seen_by("runtime/test_rooms.py", pick="do_it and secret"),),
    ),
    Planted(
        "signature-compared-with-==",
        "a signature of a notice is compared in time that tells how much of it is right",
        (
            Edit(
                "payrail.security.notices:_is_among",
                'hmac.compare_digest(ours, one.encode("utf-8", "surrogateescape"))',
                'ours == one.encode("utf-8", "surrogateescape")',
            ),
        ),
        (seen_by("runtime/test_rooms.py", pick="proof"),),
    ),
    Planted(
        "old-key-after-rotation",
        "a key that was rotated away still opens the door",
        (
            Edit(
                "payrail.security.apikeys:is_genuine",
                "version or _NO_VERSION",
                "1",
            ),
        ),
        (seen_by("rules/test_apikeys.py", pick="rotation"),),
    ),
)
