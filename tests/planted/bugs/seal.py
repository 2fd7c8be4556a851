"""Bugs of the vault's seal: it opens for one, for none, or loses what it holds."""

from tests.planted.edits import Edit
from tests.planted.planted import Planted, seen_by

_KEYS = "actors.vault.keys"
_PROTECTING = "actors.vault.protecting:Protector"
_PROTECT, _UNLOCK = "actors/test_vault_protect.py", "actors/test_vault_unlock.py"

BUGS = (
    Planted(
        "one-operator-is-enough",
        "the first passphrase alone makes the key that opens all",
        (
            Edit(
                "actors.vault.operators:wrapping_of",
                "shares[name] for name in protection.names",
                "shares[name] for name in protection.names[:1]",
            ),
        ),
        (seen_by(_PROTECT, pick="one_share"),),
    ),
    Planted(
        "fingerprint-key-left-in-clear",
        "the key of fingerprints stays beside its wrapped copy",
        (Edit(f"{_PROTECTING}._adopt", "if protection is not None:", "if False:"),),
        (seen_by(_PROTECT, pick="no_key_in_clear"),),
    ),
    Planted(
        "fingerprint-key-gone-too-early",
        "the key of fingerprints is removed though its wrapped copy may not outlive the power",
        (Edit(f"{_KEYS}:remove_clear_fingerprint", "fs.replace(KEYS, fs.read(KEYS))", "pass"),),
        (seen_by(_PROTECT, pick="whenever_it_stops"),),
        faults_only=True,
    ),
    Planted(
        "fingerprint-key-back-too-late",
        "the keys are in clear before the key of fingerprints is back",
        (
            Edit(
                f"{_PROTECTING}._adopt",
                "if protection is None:\n            self._fs",
                "if protection is None:\n            write_keys(self._fs, found)\n"
                "            self._fs",
            ),
        ),
        (seen_by(_PROTECT, pick="whenever_it_stops"),),
        faults_only=True,
    ),
    Planted(
        "anybody-takes-over",
        "who holds the keys now is not asked when others take over",
        (
            Edit(
                f"{_PROTECTING}._must_know",
                'await self._guard.share(name, passphrase, "current")',
                "pass",
            ),
        ),
        (seen_by(_PROTECT, pick="both_old_ones"),),
    ),
    Planted(
        "rotated-in-clear",
        "a new key stands in clear beside wrapped ones",
        (
            Edit(
                "actors.vault.key_works:make_key",
                "keys.at_rest(keys.begin(body.key_id, body.created_at, random_key(rng)), rng)",
                "keys.begin(body.key_id, body.created_at, random_key(rng))",
            ),
        ),
        (seen_by(_PROTECT, pick="rotated_in"),),
    ),
    Planted(
        "guessed-for-ever",
        "wrong passphrases are not counted",
        (Edit("actors.vault.guard:Guard.share", "self._must_not_be_locked(name)", "pass"),),
        (seen_by(_PROTECT, _UNLOCK, pick="ten_wrong or says_nothing"),),
    ),
    Planted(
        "unlocked-before-it-serves",
        "who unlocks the vault is told that it serves before it does",
        (Edit("actors.vault.sealed_door:SealedDoor.unlock", "await self._over.wait()", "pass"),),
        (seen_by(_UNLOCK, pick="any_order"),),
    ),
)
