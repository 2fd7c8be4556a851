"""People's rule files of the gateway: where each lies, what it is at first, and who can read it.

A file is made once, when there is none, and never written again. Its text goes into the gateway's
journal before anything is decided by it. Never: decides (`actors.gateway.rules_taken`).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from actors.gateway import decline_rules, fee_rules, refund_rules, routing_rules
from actors.gateway.settings import REMEDY, Rules
from payrail.domain.cards import find_pans
from payrail.domain.words.rules import RulesFound
from payrail.errors import BadRules, RuleFault
from payrail.runtime.ports import Fs

#: A journal line holds the text twice.
FILE_BYTES_MAX = 40 * 1024
#: So many texts are remembered as they were read: two of each file, and some for a dry run.
READ_KEPT = 16


@dataclass(frozen=True, slots=True)
class RuleFile:
    """`read` makes of the text, and the names of the providers, what stands in `Rules` under the
    file's name. Raises BadRules."""

    path: str
    default: bytes
    read: Callable[[bytes, tuple[str, ...]], Any]


# Every rule file of the gateway is in this table, by the field of `Rules` that it fills.
FILES: Mapping[str, RuleFile] = {
    "routing": RuleFile(
        routing_rules.PATH,
        routing_rules.DEFAULT,
        routing_rules.read_routing,
    ),
    "fees": RuleFile(
        fee_rules.PATH,
        fee_rules.DEFAULT,
        lambda data, _providers: fee_rules.read_fee_rules(data),
    ),
    "declines": RuleFile(
        decline_rules.PATH,
        decline_rules.DEFAULT,
        lambda data, _providers: decline_rules.read_decline_rules(data),
    ),
    "refunds": RuleFile(
        refund_rules.PATH,
        refund_rules.DEFAULT,
        lambda data, _providers: refund_rules.read_refund_rules(data),
    ),
}


def open_all(fs: Fs) -> list[RulesFound]:
    """Every file as it stands, made when there is none. Raises OSError when it cannot be made."""
    for file in FILES.values():
        if not fs.exists(file.path):
            fs.replace(file.path, file.default)
    return [found for name in FILES if (found := look(fs, name)) is not None]


def look(fs: Fs, name: str) -> RulesFound | None:
    """A file as it stands; None while there is none, which changes nothing."""
    path = FILES[name].path
    try:
        data = fs.read(path) if fs.size(path) <= FILE_BYTES_MAX else None
    except FileNotFoundError:
        return None
    except OSError as error:
        return _troubled(name, b"", f"cannot be read: {error.strerror}; put a plain file there")
    if data is None or len(data) > FILE_BYTES_MAX:  # the first is not even looked into
        return _troubled(name, b"", f"has more than {FILE_BYTES_MAX} bytes")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _troubled(name, data, "is not UTF-8 text")
    if find_pans(text):
        return _troubled(name, data, "holds what looks like a card number; take it out")
    return RulesFound(name, hashlib.sha256(data).hexdigest(), text)


def read(name: str, text: str, rules: Rules) -> Any:
    """What the text of a file says. Raises BadRules."""
    return _read(name, text, rules.providers)


@lru_cache(maxsize=READ_KEPT)
def _read(name: str, text: str, providers: tuple[str, ...]) -> Any:
    """A gateway reads each text several times while it starts, to judge it and to decide by it."""
    return FILES[name].read(text.encode(), providers)


def judge(found: RulesFound, rules: Rules) -> BadRules | None:
    """Why a file cannot be used; None: it can."""
    file = FILES[found.file]
    if found.trouble is not None:
        return BadRules(file.path, [RuleFault(1, "the file", found.trouble)], REMEDY)
    try:
        read(found.file, found.text, rules)
    except BadRules as bad:
        return bad
    return None


def with_texts(rules: Rules, texts: Mapping[str, str]) -> Rules:
    """`rules` as these texts say. Raises BadRules."""
    known = {name: text for name, text in texts.items() if name in FILES}
    made = replace(rules, **{name: read(name, text, rules) for name, text in known.items()})
    return replace(made, routing=replace(made.routing, fees=made.fees, seed=rules.seed))


def _troubled(name: str, data: bytes, why: str) -> RulesFound:
    return RulesFound(name, hashlib.sha256(why.encode() + data).hexdigest(), trouble=why)
