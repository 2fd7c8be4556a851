"""Bugs of the vault's keys: one that is used too early, one that goes while it is needed."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_TESTS, _FILE = "actors/test_vault_rotation.py", "actors/test_vault_new_key.py"
_WORKS, _ROTATING = "actors.vault.key_works", "actors.vault.rotating"

BUGS = (
    Planted(
        "key-used-before-durable",
        "a new key is in use before the file that has it is durable",
        (
            Edit(
                f"{_WORKS}:make_key",
                "    write_keys(fs, found)",
                "    keys.use(line)\n    write_keys(fs, found)",
            ),
        ),
        (seen_by(_FILE, pick="not_used_before"),),
        faults_only=True,
    ),
    Planted(
        "new-key-taken-back-by-power",
        "a start goes on with a new key whose name a power cut may still take back",
        (
            Edit(
                "actors.vault.keys:open_keys",
                "fs.open(KEYS, create=True).close()",
                "fs.exists(KEYS)",
            ),
        ),
        (seen_by(_FILE, pick="power_cut"),),
        faults_only=True,
    ),
    Planted(
        "key-made-twice",
        "a rotation that is done again makes another key of the same name",
        (Edit(f"{_WORKS}:make_key", "if line is None:", "if line is None or True:"),),
        (seen_by(_FILE, pick="power_cut"),),
        faults_only=True,
    ),
    Planted(
        "rotation-forgotten-at-a-start",
        "a rotation whose vault died before the key was made is never gone on with",
        (
            Edit(
                f"{_ROTATING}:Rotator.opened",
                "if rotation.making is not None:",
                "if rotation.making is None and rotation.who:",
            ),
        ),
        (seen_by(_TESTS, pick="before_the_key_is_made"),),
        faults_only=True,
    ),
    Planted(
        "retired-with-a-card-under-it",
        "a key is taken away while a card is under it that could not be moved",
        (
            Edit(
                f"{_ROTATING}:Rotator._retire",
                "{card.key_id for card in state.cards.values()}",
                "set()",
            ),
        ),
        (seen_by(_TESTS, pick="damaged_card"),),
    ),
    Planted(
        "card-left-out-of-a-rotation",
        "the first of the cards under an older key is never moved",
        (Edit("actors.vault.worklist:Worklist._look", "waiting[::-1]", "waiting[:0:-1]"),),
        (seen_by(_TESTS, pick="moves_every_card"),),
    ),
    Planted(
        "key-gone-before-the-documents",
        "a key is taken away while the documents still hold cards under it",
        (
            Edit(
                f"{_WORKS}:works_at_once",
                "return _kept(body) if is_there else",
                "return _kept(body) if is_there and False else",
            ),
        ),
        (seen_by(_TESTS, pick="documents_hold"),),
        faults_only=True,
    ),
    Planted(
        "card-stored-under-a-retired-key",
        "a card that was encrypted before the switch is taken when its key is gone",
        (
            Edit(
                "actors.vault.tokens:store",
                "if not state.rotation.takes(order.key_id):",
                "if not state.rotation:",
            ),
        ),
        (seen_by(_TESTS, pick="under_a_retired_key"),),
    ),
    Planted(
        "moved-to-another-token",
        "whoever swapped two ciphertexts has each bound to its new token by the next rotation",
        (
            Edit(
                "actors.vault.cipher:VaultKeys.again",
                "plain = self._plain(token, stored)",
                "plain = _decode_plain(self._by_id[stored.key_id].decrypt(stored.ciphertext));"
                " plain.t = token",
            ),
        ),
        (seen_by(_FILE, pick="bound_as_it_was"),),
    ),
    Planted(
        "rotation-without-a-line",
        "whoever rotates the vault's keys is not in the access log",
        (
            Edit(
                f"{_ROTATING}:_rotate",
                "        posts=[line],\n        errands",
                "        errands",
            ),
        ),
        (seen_by(_TESTS, pick="access_log"),),
    ),
)
