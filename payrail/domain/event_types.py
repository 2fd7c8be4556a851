"""The types of events that the house tells: which there are, and what the data of each says.

Out of the table of ledger entries, so that a type that can be booked can be asked for.
"""

from typing import Any

import msgspec

from payrail.domain.ledger import ENTRY_DATA

#: Every type there is, and every family, in the order of the table.
TYPES: tuple[str, ...] = tuple(ENTRY_DATA)
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(name.partition(".")[0] for name in TYPES))
SPELLING = "must be a type such as payment.captured, or a family such as payment.*"


def family_or_type(text: str) -> str:
    """The beginning that wanted types have: `payment.captured.` or `payment.`. Takes `payment.*`
    and `payment` for a family. Raises ValueError for what no event is ever of."""
    family = text.removesuffix(".*")
    if text not in TYPES and family not in FAMILIES:
        raise ValueError(SPELLING)
    return f"{family}."


def is_wanted(beginning: str, event_type: str) -> bool:
    """Whether an event of this type is meant."""
    return f"{event_type}.".startswith(beginning)


def fields_of(event_type: str) -> list[tuple[str, str, bool]]:
    """Of the entry's `data`: name, type in words, whether it may be missing."""
    shape = ENTRY_DATA[event_type]
    return [
        (one.encode_name, _word(one.type), not one.required)
        for one in msgspec.structs.fields(shape)
    ]


def meaning_of(event_type: str) -> str:
    """The first sentence of what the entry's shape says of itself; empty where its name is all."""
    told = " ".join((ENTRY_DATA[event_type].__doc__ or "").split())
    return "" if told.startswith(f"{ENTRY_DATA[event_type].__name__}(") else told


def _word(kind: Any) -> str:
    if isinstance(kind, str):
        return kind
    name = getattr(kind, "__name__", None) if not hasattr(kind, "__args__") else None
    text = name or str(kind)
    for module in ("payrail.domain.", "typing."):
        while module in text:
            at = text.index(module)
            end = text.find(".", at + len(module))
            text = text[:at] + text[max(at + len(module), end + 1 if end > 0 else 0) :]
    return text.replace("NoneType", "null").replace("None", "null")
