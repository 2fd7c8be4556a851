"""People's rule files in TOML: read strictly, and every complaint names file, line, field, remedy.

What stands in a file is never repeated: anything may have been typed there. Never: opens a file.
"""

import re
import tomllib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from payrail.domain.cards import mask_pans
from payrail.errors import BadRules, RuleFault

M = TypeVar("M", bound=BaseModel)
Place = tuple[int | str, ...]

#: More than so many complaints are one mistake, told often.
_ERRORS_MAX = 10
#: Dots on one line: the time to read a dotted key grows with the square of its parts.
_DOTS_MAX = 200
_SYNTAX_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_KEY = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*\]")
_ASSIGNED = re.compile(rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*=")
_ONE_KEY = re.compile(_KEY)
#: What neither opens nor closes a list: strings on one line, and remarks.
_SILENT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*")


def checked(model: type[M], path: str, data: bytes, *, remedy: str, context: Any = None) -> M:
    """The file as `model`. Raises BadRules with every complaint, at most ten of them."""
    fields = _parsed(path, data, remedy)
    try:
        return model.model_validate(fields, context=context)
    except ValidationError as error:
        raise BadRules(path, _complaints(error, data.decode()), remedy) from None


def loads(data: bytes) -> dict[str, Any]:
    """The tables of a file. Raises ValueError, of which tomllib's errors are kinds."""
    if any(line.count(b".") > _DOTS_MAX for line in data.split(b"\n")):
        raise ValueError("a key of too many parts")
    return tomllib.loads(data.decode())


def line_of(text: str, place: Place) -> int:
    """The line, from 1, of the key at `place`, or of the nearest thing around it."""
    lines = _lines(text)
    while place:
        if place in lines:
            return lines[place]
        place = place[:-1]
    return 1


def spelled(place: Place) -> str:
    """`rules[2].order`; rules are counted from 1, as people do."""
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return mask_pans(text) or "the file"


def _parsed(path: str, data: bytes, remedy: str) -> dict[str, Any]:
    try:
        return loads(data)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        fault = RuleFault(line, "the file", "is not UTF-8 text")
    except tomllib.TOMLDecodeError as error:
        fault = RuleFault(_syntax_line(str(error), data), "the file", f"is not TOML: {error}")
    except (ValueError, RecursionError):
        detail = "holds a number or a key too long, or a list too deep, to read"
        fault = RuleFault(1, "the file", detail)
    told = RuleFault(fault.line, fault.field, mask_pans(fault.message))
    raise BadRules(path, [told], remedy)


def _syntax_line(message: str, data: bytes) -> int:
    """Where the reader stopped; without a word about it, at the end."""
    found = _SYNTAX_LINE.search(message)
    return int(found.group(1)) if found else len(data.splitlines()) or 1


def _complaints(error: ValidationError, text: str) -> list[RuleFault]:
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return [
        RuleFault(
            line_of(text, one["loc"]),
            spelled(one["loc"]),
            mask_pans(_told(one["type"], one["msg"])),
        )
        for one in found[:_ERRORS_MAX]
    ]


def _told(kind: str, message: str) -> str:
    """What is wrong in words for whoever edits the file; most checkers' words are good enough."""
    if kind == "extra_forbidden":
        return "is not known here; mend its spelling or its place, or take it out"
    return message.removeprefix("Value error, ")


def _lines(text: str) -> dict[Place, int]:
    """The line of every table and key that begins a line outside of a list or a long string."""
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    depth, quote = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if not depth:
            if header := _HEADER.match(line):
                table = _table(header, counts)
                found.setdefault(table, number)
                found.setdefault(table[:-1] if isinstance(table[-1], int) else table, number)
                continue
            if assigned := _ASSIGNED.match(line):
                found.setdefault((*table, *_keys(assigned.group(1))), number)
        quote = _left_open(line)
        bare = "" if quote else _SILENT.sub("", line)
        depth = max(0, depth + sum((c in "[{") - (c in "]}") for c in bare))
    return found


def _left_open(line: str) -> str:
    """The quotes of a string of several lines that begins here and does not end here."""
    return next((q for q in ('"""', "'''") if line.count(q) % 2), "")


def _table(header: re.Match[str], counts: dict[Place, int]) -> Place:
    """The place of a table; the parts that are lists stand for their newest element."""
    keys = _keys(header.group(2))
    place: Place = ()
    for key in keys[:-1]:
        place = (*place, key)
        if place in counts:
            place = (*place, counts[place])
    place = (*place, keys[-1])
    if header.group(1) == "[[":
        counts[place] = counts.get(place, -1) + 1
        return (*place, counts[place])
    return place


def _keys(dotted: str) -> Place:
    return tuple(key.strip("\"'") for key in _ONE_KEY.findall(dotted))
