"""`vault protect|unlock`: the vault's keys in the hands of two operators.

A passphrase is asked without echo, or read from stdin for scripts; it goes to the vault's own port
and nowhere else. Never: prints, keeps or repeats one.
"""

import sys
from typing import Annotated, Any

import typer

from actors.cli.common import AsJson, put, put_json, say, settings
from actors.cli.exits import TRY_LATER, Stop, usage

#: A vault with a long journal takes its time until it serves.
UNLOCK_S_MAX = 120.0
_PEOPLE = 2

_Stdin = Annotated[
    bool, typer.Option("--stdin", help="Read lines NAME:PASSPHRASE instead of asking.")
]
_Name = Annotated[str, typer.Option("--operator", metavar="NAME", help="Whose passphrase this is.")]
Pairs = list[dict[str, str]]


def protect(
    off: Annotated[bool, typer.Option("--off", help="Put the keys back in clear.")] = False,
    stdin: _Stdin = False,
    as_json: AsJson = False,
) -> None:
    """Put the keys into two operators' hands.

    Each key is wrapped by both passphrases, and each start waits for both. With --stdin two lines;
    where keys are held already, the two lines of those who hold them now come first.
    """
    held_by = _ask("GET", "/unlock")["operators"]
    given = _read_lines() if stdin else None
    current = _current(held_by, given)
    body = {"current": current, "off": off, "operators": [] if off else _new_ones(given)}
    if given:
        raise usage("more lines than are asked for", "Two lines for each two operators.")
    answer = _ask("POST", "/protect", body)
    if as_json:
        put_json(answer)
    elif answer["protected"]:
        put(f"the keys are held by {' and '.join(answer['operators'])}")
        say("Copies of the home from before hold them in clear: `payrail vault rotate` makes a new")
        say("key, under which every card is moved.")
    else:
        put("the keys rest in clear")


def unlock(operator: _Name = "", stdin: _Stdin = False, as_json: AsJson = False) -> None:
    """Give an operator's passphrase to a sealed vault.

    It serves once both have come. Without --operator and --stdin: who is missing.
    """
    if operator:
        answer = _given(operator, _passphrase_of(operator, stdin))
    else:
        answer = _ask("GET", "/unlock")
        for one in _read_lines() if stdin else ():
            answer = _given(one["name"], one["passphrase"])
    if as_json:
        put_json(answer)
    else:
        missing = ", ".join(answer["missing"])
        put(f"sealed, waits for {missing}" if missing else _told(answer))


def _given(operator: str, passphrase: str) -> Any:
    return _ask("POST", "/unlock", {"operator": operator, "passphrase": passphrase})


def _told(answer: dict[str, Any]) -> str:
    return "sealed: `payrail doctor` names why" if answer["sealed"] else "open"


def _ask(method: str, path: str, body: Any = None) -> Any:
    """The vault's answer. Raises NotRunning, Stop with what it says."""
    from actors.cli.doors import ask, must
    from actors.cli.providers import internal_secret_text

    url = f"{settings().vault_url}{path}"
    return must(*ask(method, url, body, key=internal_secret_text(), wait_s=UNLOCK_S_MAX))


def _current(held_by: list[str], given: Pairs | None) -> Pairs:
    """Those who hold the keys now; nobody, where they rest in clear."""
    if not held_by:
        return []
    if given is not None:
        return _taken(given, f"Those of {' and '.join(held_by)}, who hold the keys, come first.")
    return [{"name": name, "passphrase": _asked(f"passphrase of {name}")} for name in held_by]


def _new_ones(given: Pairs | None) -> Pairs:
    if given is not None:
        return _taken(given, "Two lines NAME:PASSPHRASE of those who shall hold the keys.")
    return [_new_one(word) for word in ("first", "second")]


def _new_one(word: str) -> dict[str, str]:
    name = typer.prompt(f"name of the {word} operator", err=True)
    passphrase = _asked(f"passphrase of {name}, at least 12 characters")
    if _asked("the same again") != passphrase:
        raise Stop(TRY_LATER, "the two were not the same", "Nothing was changed; begin again.")
    return {"name": name, "passphrase": passphrase}


def _asked(what: str) -> str:
    return str(typer.prompt(what, hide_input=True, err=True))


def _passphrase_of(operator: str, stdin: bool) -> str:
    if not stdin:
        return _asked(f"passphrase of {operator}")
    (one,) = _read_lines(default=operator)[:1] or [{"name": "", "passphrase": ""}]
    if one["name"] != operator:
        raise usage("the line is of another operator", "NAME:PASSPHRASE, or the passphrase alone.")
    return one["passphrase"]


def _read_lines(default: str = "") -> Pairs:
    """NAME:PASSPHRASE a line; a line without a name is `default`'s. Raises Stop 64."""
    found = []
    for line in sys.stdin.read().split("\n"):
        name, sign, passphrase = line.partition(":")
        if not line:
            continue
        if sign and (not default or name == default):
            found.append({"name": name, "passphrase": passphrase})
        elif default:
            found.append({"name": default, "passphrase": line})
        else:
            raise usage("a line without a colon", "Each line is NAME:PASSPHRASE.")
    return found


def _taken(given: Pairs, remedy: str) -> Pairs:
    """The next two lines. Raises Stop 64."""
    if len(given) < _PEOPLE:
        raise usage("too few lines", remedy)
    taken = given[:_PEOPLE]
    del given[:_PEOPLE]
    return taken
