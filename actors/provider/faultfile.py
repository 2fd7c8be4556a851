"""`data/rules/faults.toml`: drills that begin with the house. Made once by `provider-a`, then
people's, and read by each provider at its start.

A rule is the same as over HTTP, as a table `[[rules]]` with `provider` beside it. A file that
cannot be used stops the provider (exit 78, held): a drill that nobody meant is worse than none.
Never: reads it again while it runs, writes over it, or repeats what stands in it.
"""

import hashlib
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from actors.provider.rules import FROM_FILE
from actors.provider.state import FaultInjected, FaultsRead, ProviderState
from payrail.domain.fault_rules import RULES_MAX, FaultRule, parse_rule
from payrail.domain.providers import public_name
from payrail.errors import BadSettings, RequestError
from payrail.rulefile import loads
from payrail.runtime.ports import Fs
from payrail.storage.lines import encode

PATH = "data/rules/faults.toml"
REMEDY = "mend it and `payrail release {actor}`, or remove the file to have an empty one made again"
#: Who gave the drills that stand in the file.
USER = "faults.toml"
#: More than so many complaints are one mistake, told often.
_ERRORS_MAX = 10

DEFAULT = b"""\
# Drills that begin with the house: what providers do wrong on purpose. provider-a made this file
# and never writes it again: it is yours. Each provider reads it when it starts
# (`payrail restart provider-a`). A rule that is here since an earlier start goes on with the uses
# it has left; one that is changed begins anew, and one that is gone ends.
# `payrail providers inject` begins a drill at once, `payrail providers clear` ends all of them.
#
# [[rules]]
# provider = "providerA"            # or "providerB"
# operation = "authorize"           # authorize, capture, refund, reverse, status, webhook,
#                                   # statement, or "*"
# do = "approve_then_hang"          # down, error, http:500, reset, garbage, hang, slow:2000,
#                                   # approve_then_hang, decline:<code>, wrong_amount,
#                                   # duplicate_webhook, late_webhook:60, early_webhook,
#                                   # reorder_webhooks, settlement_mismatch:<kind>
# count = 1                         # uses; without it: until it is cleared
# probability = 0.1                 # of generated cards; without it: every card
# match = { merchant = "m_001" }    # also payment, token, amount
# fence = true                      # of slow: an ask before its time refuses it for good
"""


def open_faults(fs: Fs, actor: str, *, makes_it: bool) -> Mapping[str, FaultRule]:
    """The rules of `actor` by id; the file is made when there is none and `makes_it`. Raises
    BadSettings with file, rule number, field and remedy; OSError when it can neither be read nor
    made."""
    try:
        data = fs.read(PATH)
    except FileNotFoundError:
        if makes_it:
            fs.replace(PATH, DEFAULT)
        return {}
    return read_faults(data, actor)


def read_faults(data: bytes, actor: str) -> Mapping[str, FaultRule]:
    """The rules for `actor` in the text of a file, by ids that tell of their content, so that one
    that stands there unchanged is the same at the next start. Raises BadSettings."""
    complaints: list[str] = []
    rules = [
        rule
        for number, fields in enumerate(_tables(data, actor), 1)
        if (rule := _rule(fields, number, actor, complaints)) is not None
    ]
    if complaints:
        raise _bad(actor, *complaints[:_ERRORS_MAX])
    seen: Counter[bytes] = Counter()
    found: dict[str, FaultRule] = {}
    for rule in rules:
        text = encode(rule)
        seen[text] += 1
        digest = hashlib.sha256(b"%b %d" % (text, seen[text])).hexdigest()[:16]
        found[f"{FROM_FILE}{digest}"] = rule
    return found


def news(state: ProviderState, rules: Mapping[str, FaultRule]) -> list[Struct]:
    """What is new in the file since it was last read. A rule that was used up or cleared stays so
    until its text changes: a restart begins no drill again."""
    if list(rules) == state.file_faults:
        return []
    new = [name for name in rules if name not in state.file_faults]
    begun = [FaultInjected(name, rules[name], USER) for name in new]
    return [FaultsRead(list(rules)), *begun]


def _tables(data: bytes, actor: str) -> Sequence[Any]:
    try:
        fields = loads(data)
    except UnicodeDecodeError:
        raise _bad(actor, "is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise _bad(actor, f"is not TOML: {_place_of(error)}") from None
    except (ValueError, RecursionError):
        raise _bad(actor, "holds a number or a key too long, or a list too deep, to read") from None
    rules = fields.get("rules", [])
    if not fields.keys() <= {"rules"}:
        raise _bad(actor, "holds something besides [[rules]]")
    if not isinstance(rules, list) or len(rules) > RULES_MAX:
        raise _bad(actor, f"rules: must be tables [[rules]], {RULES_MAX} at most")
    return rules


def _rule(fields: Any, number: int, actor: str, complaints: list[str]) -> FaultRule | None:
    """The rule of one table, None when it is another provider's or is wrong."""
    place = f"rule {number}"
    if not isinstance(fields, dict):
        complaints.append(f"{place}: must be a table")
        return None
    given = dict(fields)
    name = _provider(given.pop("provider", None))
    if name is None:
        complaints.append(f'{place}: provider: must be "providerA" or "providerB"')
    try:
        rule = parse_rule(given)
    except RequestError as refusal:
        complaints += [f"{place}: {one['field']}: {one['message']}" for one in refusal.errors]
        return None
    return rule if name == public_name(actor) else None


def _provider(given: Any) -> str | None:
    try:
        return public_name(given)
    except (KeyError, TypeError):
        return None


def _place_of(error: Exception) -> str:
    """Where a parser stopped, without what it quotes."""
    return str(error).rpartition(" (")[2].rstrip(")")


def _bad(actor: str, *complaints: str) -> BadSettings:
    lines = [f"{PATH}: {complaint}" for complaint in complaints]
    return BadSettings("\n".join([*lines, REMEDY.format(actor=actor)]))
