"""Tokens that have ended: a deleted card opens for nobody, a used token serves its one payment.

Every copy of a ciphertext that the vault's journal has ever held is tried, with every key that
lies in the house at the end.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import ACCESS_LOG, decoded
from actors.simulation.seals import SimKeys
from actors.vault.cardkeys import CardKeys, RecordMismatch
from actors.vault.cipher import VaultKeys
from actors.vault.keyfile import KEYS, KeysFile
from actors.vault.state import SINGLE_USE, EncryptedCard
from payrail.runtime.recovery import journal_path
from payrail.runtime.sim import SimClock, SimRng

_decode_keys = msgspec.json.Decoder(KeysFile).decode
#: (number of the step, the event)
Told = tuple[int, dict[str, Any]]


def opens_for_nobody(evidence: Evidence) -> list[str]:
    """No copy of a card opens once its deletion was answered, and no two cards share a slot."""
    told = list(_events(evidence))
    copies: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    slots: dict[int, str] = {}
    found = []
    for number, event in told:
        if event["type"] == "cards.moved":
            for token, text in event["cards"].items():
                under = {"key_id": event["key_id"], "ciphertext": text}
                copies[token].append({**copies[token][0], **under})
        if event["type"] != "card.stored":
            continue
        token, slot = event["token"], event["card"].get("slot")
        copies[token].append(event["card"])
        if slot is not None and slots.setdefault(slot, token) != token:
            found.append(f"{token} has another card's slot ({_place(number)})")
    gone = [(n, str(event["token"])) for n, event in told if event["type"] == "card.shredded"]
    opener = _opener(evidence) if gone else None
    for number, token in gone:
        if opener and any(_opens(opener, token, copy) for copy in copies[token]):
            found.append(f"{token} was answered as deleted, and opens ({_place(number)})")
    return found


def deletions_end(evidence: Evidence) -> list[str]:
    """Whatever was to be shredded is."""
    waiting: dict[str, int] = {}
    for number, event in _events(evidence):
        if event["type"] == "card.deleted" and event["slot"] is not None:
            waiting[event["token"]] = number
        elif event["type"] == "card.shredded":
            waiting.pop(event["token"], None)
    return [f"{token} was never shredded ({_place(n)})" for token, n in waiting.items()]


def serves_one_payment(evidence: Evidence) -> list[str]:
    """The card of a single-use token goes out for one payment."""
    once = {
        event["token"]
        for _, event in _events(evidence)
        if event["type"] == "card.stored" and event["record"]["usage"] == SINGLE_USE
    }
    served: dict[str, str] = {}
    found = []
    for row in evidence.books.rows(ACCESS_LOG):
        token, about = row["token"], (row["purpose"], row["outcome"])
        if token not in once or about != ("charge.authorize", "allowed"):
            continue
        if served.setdefault(token, row["payment_id"]) != row["payment_id"]:
            found.append(f"{token} served {served[token]} and {row['payment_id']} ({row.place})")
    return found


def _events(evidence: Evidence) -> Iterator[Told]:
    for step in evidence.books.steps("vault"):
        for event in step.events:
            yield step.s, decoded(bytes(event))


def _opener(evidence: Evidence) -> VaultKeys | None:
    keys = _decode_keys(evidence.fs.read(KEYS))
    if not any(line.key for line in keys.keys):
        return None  # whose keys are gone, is for others to say
    own = CardKeys(evidence.fs, SimRng(0))
    return SimKeys(VaultKeys(keys.keys, b"", SimClock(0, 0), own))


def _opens(opener: VaultKeys, token: str, copy: dict[str, Any]) -> bool:
    try:
        opener.open_card(token, EncryptedCard(copy["key_id"], copy["ciphertext"], copy.get("slot")))
    except RecordMismatch:
        return False
    return True


def _place(number: int) -> str:
    return f"{journal_path('vault')}:{number}"


INVARIANTS = (
    Invariant("I16d", "a deleted card opens for nobody", opens_for_nobody),
    Invariant("I16e", "a deletion ends", deletions_end, needs_rest=True),
    Invariant("I16u", "a single-use token serves one payment", serves_one_payment),
)
