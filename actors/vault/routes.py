"""The routes of 8027: one table, of the open vault and of a sealed one.

Owns: what `/openapi.json` of the vault tells. Never: handles a request.
"""

from typing import Any

from actors.vault.door_models import (
    CardShown,
    ChargeToken,
    Detokenize,
    Health,
    KeysRotated,
    RotationShown,
    Sealed,
    TokenDeleted,
    TokenizeCard,
    TokenShown,
)
from actors.vault.operator_models import Protect, ProtectionShown, SealShown, Unlock
from payrail.domain.access import ROLES, TOKEN_DELETERS, TOKEN_READERS
from payrail.web.openapi import Route

TOKENIZE = "/tokenize"
#: Of a card that may not open, or not be sealed yet.
_STORED = ("vault-record-mismatch", "provider-key-missing")
#: Of a route that tries passphrases.
_GUESSED = ("passphrase-wrong", "rate-limited")


def vault_routes(door: Any) -> list[Route]:
    """`door` has a handler for each: `door.VaultDoor`, or one that refuses them all."""
    health = Route("GET", "/health", door.health, "A sign of life", Health, open_to_all=True)
    return [*_of_cards(door), *_of_keys(door), *_of_operators(door.operators), health]


def _of_cards(door: Any) -> list[Route]:
    return [
        Route(
            "POST",
            TOKENIZE,
            door.tokenize,
            "Store a card and get its token",
            TokenShown,
            status=201,
            takes=TokenizeCard,
            codes=("card-key-unavailable",),
            roles=frozenset(ROLES),
        ),
        Route(
            "POST",
            "/detokenize",
            door.detokenize,
            "Brand and last four digits, for a purpose",
            CardShown,
            takes=Detokenize,
            codes=("unknown-token",),
            roles=TOKEN_READERS,
        ),
        Route(
            "POST",
            "/charge-token",
            door.charge_token,
            "The card, sealed for one provider",
            Sealed,
            takes=ChargeToken,
            codes=("unknown-token", "expired-token", "token-used", *_STORED),
        ),
        Route(
            "GET",
            "/tokens/{id}",
            door.token,
            "Show a token",
            TokenShown,
            roles=TOKEN_READERS,
        ),
        Route(
            "DELETE",
            "/tokens/{id}",
            door.delete_token,
            "Delete a card and shred its key",
            TokenDeleted,
            roles=TOKEN_DELETERS,
        ),
    ]


def _of_keys(door: Any) -> list[Route]:
    return [
        Route(
            "POST",
            "/rotate-keys",
            door.rotate,
            "Make a new key, and move every card under it",
            KeysRotated,
            codes=("rotation-under-way", "audit-unavailable", "rate-limited"),
        ),
        Route(
            "GET",
            "/rotate-keys",
            door.rotation,
            "How far the rotation is, and which cards it cannot move",
            RotationShown,
        ),
    ]


def _of_operators(operators: Any) -> list[Route]:
    return [
        Route(
            "POST",
            "/unlock",
            operators.unlock,
            "Give one operator's passphrase to a sealed vault",
            SealShown,
            takes=Unlock,
            codes=_GUESSED,
        ),
        Route("GET", "/unlock", operators.seal, "Who has to unlock the vault", SealShown),
        Route(
            "POST",
            "/protect",
            operators.protect,
            "Put the keys into two operators' hands, or back into clear",
            ProtectionShown,
            takes=Protect,
            codes=_GUESSED,
        ),
    ]
