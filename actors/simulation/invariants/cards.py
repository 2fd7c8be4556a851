"""Cards: no number stands anywhere in clear, and none was used before it was written down why."""

import base64
import re
from collections import Counter
from collections.abc import Iterator

from actors.simulation.evidence import Evidence
from actors.simulation.invariants.invariant import Invariant
from actors.simulation.reading import ACCESS_LOG, decoded
from payrail.runtime.recovery import journal_path

PURPOSES = frozenset({"tokenize", "charge.authorize", "support.last4", "key.rotation", "delete"})
CHARGE = "charge.authorize"
#: Files in which people may say what they like, and the vault's keys, are searched like all others.
#: The look behind comes second: a pattern that begins with a set of bytes is searched much faster.
_DIGITS = re.compile(
    rb"[2-6](?<![0-9A-Za-z_.-].)[0-9]{3}(?:[ -]?[0-9]{4}){3}(?![0-9A-Za-z_.-])", re.DOTALL
)
_SECRET_NAMES = re.compile(rb'"(?:cvc|cvv|cvc2|cvv2|pin|track1|track2|pan)"\s*:')


def no_number_in_clear(evidence: Evidence) -> list[str]:
    """No number that was used stands in any file, header or answer."""
    cards = [card.encode() for card in dict.fromkeys(evidence.cards)]
    numbers = [card for card in cards if card in evidence.one_text]
    return [
        f"{_masked(card)} stands in clear ({place})"
        for place, data in (evidence.everything if numbers else ())
        for card in numbers
        if card in data
    ]


def no_number_in_disguise(evidence: Evidence) -> list[str]:
    """Nor grouped, in hex, in base64, or any other number that could be one; nothing is named like
    a security code."""
    text, found = evidence.one_text, []
    cards = list(dict.fromkeys(evidence.cards))
    shapes = [(card, shape) for card in cards for shape in _disguises(card) if shape in text]
    names, numbers = _SECRET_NAMES.search(text), any(map(_is_card, _DIGITS.findall(text)))
    for place, data in evidence.everything if shapes or names or numbers else ():
        found += [f"{_masked(c.encode())} in disguise ({place})" for c, s in shapes if s in data]
        if name := _SECRET_NAMES.search(data):
            found.append(f"a field {name[0].decode()} is kept ({place})")
        likely = filter(_is_card, _DIGITS.findall(data))
        found += [f"{_masked(number)} looks like a card ({place})" for number in likely]
    return found


def _is_card(number: bytes) -> bool:
    return _is_luhn(re.sub(rb"[ -]", b"", number).decode())


def _disguises(card: str) -> Iterator[bytes]:
    groups = [card[at : at + 4] for at in range(0, len(card), 4)]
    yield from (" ".join(groups).encode(), "-".join(groups).encode(), card[::-1].encode())
    yield card.encode().hex().encode()
    for before in range(3):  # What stands before decides how the bytes fall into base64.
        text = base64.b64encode(b"\0" * before + card.encode())
        yield text[4 if before else 0 : -4]


def _masked(card: bytes) -> str:
    return f"a card …{card[-4:].decode()}"


def _is_luhn(digits: str) -> bool:
    doubled = [int(d) * (2 if at % 2 else 1) for at, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def access_comes_first(evidence: Evidence) -> list[str]:
    """A card leaves the vault in the very step that writes down who wanted it, and why; no card
    leaves more often than it was tried, and none is charged that never left."""
    left: Counter[str] = Counter()
    found = []
    for step in evidence.books.steps("vault"):
        sent = [out for out in map(decoded, map(bytes, step.out)) if out["kind"] == "charge"]
        lines = [decoded(bytes(posted.line)) for posted in step.books if posted.book == "access"]
        allowed = Counter(
            line["payment_id"]
            for line in lines
            if (line["purpose"], line["outcome"]) == (CHARGE, "allowed")
        )
        for out in sent:
            left[out["key"]] += 1
            allowed[out["key"]] -= 1
        wrong = [ident for ident, n in allowed.items() if n]
        if wrong:
            place = f"{journal_path('vault')}:{step.s}"
            found.append(
                f"{wrong[0]}: its card and its line in the log do not go together ({place})"
            )
    return found + _lines_say_why(evidence) + _tried_as_often(evidence, left)


def _lines_say_why(evidence: Evidence) -> list[str]:
    found = []
    for row in evidence.books.rows(ACCESS_LOG):
        is_known = row["purpose"] in PURPOSES or str(row["outcome"]).startswith("refused:")
        if not row["who"] or not row["token"] or not row["outcome"] or not is_known:
            found.append(
                f"{row['who']} touched {row['token']} for {row['purpose']!r} ({row.place})"
            )
    return found


def _tried_as_often(evidence: Evidence, left: Counter[str]) -> list[str]:
    tried: Counter[str] = Counter()
    for entry in evidence.books.entries:
        tried[entry.fact.ref] += entry.fact.type == "payment.attempt_started"
    found = [
        f"{ident}: its card left {n} times, for {tried[ident]} attempts"
        for ident, n in left.items()
        if n > tried[ident]
    ]
    for row in evidence.books.truths:
        payment_id = str(row["reference"]).rpartition(".")[0]
        if row["operation"] == "authorize" and not left[payment_id]:
            found.append(f"{payment_id}: charged, and its card never left ({row.place})")
    return found


INVARIANTS = (
    Invariant("I14", "no card number in clear", no_number_in_clear),
    Invariant("I14d", "no card number in disguise", no_number_in_disguise, is_deep=True),
    Invariant("I15", "who uses a card is written down before", access_comes_first),
)
