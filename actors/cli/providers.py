"""`providers ls|inject|clear`: how the providers are, and drills. Inject returns when durable."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.cli.common import AsJson, files, put_json, put_table, settings
from actors.cli.exits import NO_SUCH, NOT_RUNNING, Stop, usage

if TYPE_CHECKING:
    from payrail.settings import Settings

ProviderId = Annotated[str, typer.Argument(metavar="ID", help="providerA, or provider-a.")]

providers = typer.Typer(help="Providers and their drills.", no_args_is_help=True)

#: A rule that shows the way when somebody's JSON is wrong.
_EXAMPLE = """For example '{"operation":"authorize","do":"approve_then_hang","count":1}'."""


def register(app: typer.Typer) -> None:
    app.add_typer(providers, name="providers")


@providers.command("ls")
def ls(as_json: AsJson = False) -> None:
    """Show each provider: actor, health, breaker, fault rules."""
    rows = [_row(name) for name in _known()]
    if as_json:
        put_json(rows)
        return
    columns = ("id", "actor", "state", "health", "breaker", "faults")
    put_table(
        columns, [[*(row[name] for name in columns[:-1]), len(row["faults"])] for row in rows]
    )


@providers.command("inject")
def inject(
    provider: ProviderId,
    rule: Annotated[str, typer.Argument(metavar="JSON", help="A fault rule.")],
) -> None:
    """Begin a drill. The provider fails as the rule says, from the moment this returns."""
    from actors.cli.doors import ask, must
    from payrail.errors import MalformedJson
    from payrail.storage.strict import parse

    name = _must_be_provider(provider)
    try:
        fields = parse(rule.encode("utf-8", "surrogateescape"))
    except MalformedJson as error:
        raise usage(f"the rule is {error}", _EXAMPLE) from None
    if not isinstance(fields, dict):
        raise usage("a rule is a JSON object", _EXAMPLE)
    url = f"{settings().api_url}/providers/{name}/inject-failure"
    put_json(must(*ask("POST", url, fields, key=service_key_text())))


@providers.command("clear")
def clear(provider: ProviderId) -> None:
    """End all drills of a provider."""
    from actors.cli.doors import ask, must

    chosen = settings()
    url = f"{chosen.provider_url}/providers/{_must_be_provider(provider)}/faults"
    put_json(must(*ask("DELETE", url, key=internal_secret_text())))


def service_key_text() -> str:
    """The key with which this command line acts for the house. Raises Stop where none is."""
    from payrail.runtime.clocks import SystemRng
    from payrail.security.secrets import service_key

    chosen = settings()
    _must_hold(chosen, "service")
    return service_key(files(chosen), SystemRng())


def internal_secret_text() -> str:
    from payrail.runtime.clocks import SystemRng
    from payrail.security.secrets import secret

    chosen = settings()
    given = chosen.internal_secret.get_secret_value()
    if not given:
        _must_hold(chosen, "internal")
    return secret(files(chosen), "internal", SystemRng(), given=given).decode()


def _must_hold(chosen: "Settings", name: str) -> None:
    """A secret made here would open no door, and lie about in a folder that is no home."""
    if (chosen.home / "data" / "secrets" / name).exists():
        return
    what = f"no house was ever started in {chosen.home}"
    remedy = "Start it there with `payrail up --demo`, or set PAYRAIL_HOME to the home of one."
    raise Stop(NOT_RUNNING, what, remedy)


def _known() -> list[str]:
    from actors.wiring import NAMES
    from payrail.domain.messages import PROVIDERS
    from payrail.domain.providers import public_name

    return [public_name(name) for name in NAMES if name in PROVIDERS]


def _must_be_provider(given: str) -> str:
    from payrail.domain.providers import public_name

    try:
        name = public_name(given)
    except KeyError:
        name = ""
    if name not in _known():
        raise Stop(NO_SUCH, "there is no such provider", f"There are: {', '.join(_known())}.")
    return name


def _row(name: str) -> dict[str, Any]:
    from payrail.domain.providers import actor_of
    from payrail.runtime.house import status

    home, actor = settings().home, actor_of(name)
    states = {row["name"]: row["state"] for row in status(home)}
    view = _json(home / "data" / "providers" / f"{name}_state.json")
    breaker = view.get("breaker", {})
    return {
        "id": name,
        "actor": actor,
        "state": states.get(actor, "down"),
        "health": view.get("health", "unknown"),
        "breaker": breaker.get("state", "CLOSED"),
        "faults": _faults(home / "data" / "actors" / actor / "journal.jsonl"),
    }


def _faults(journal: Path) -> list[dict[str, Any]]:
    """The rules in force, as the provider's journal tells them."""
    rules: dict[str, dict[str, Any]] = {}
    if not journal.exists():
        return []
    with journal.open("rb") as file:
        for line in file:
            if b'"fault' in line and line.endswith(b"\n"):
                for event in json.loads(line)["events"]:
                    _fold_fault(rules, event)
    return list(rules.values())


def _fold_fault(rules: dict[str, dict[str, Any]], event: dict[str, Any]) -> None:
    kind, rule_id = event.get("type"), str(event.get("id"))
    if kind == "faults.cleared":
        rules.clear()
    elif kind == "faults.read":
        for gone in [name for name in rules if _is_gone(name, event["ids"])]:
            del rules[gone]
    elif kind == "fault.injected":
        rules[rule_id] = {"id": rule_id, **event["rule"]}
    elif kind == "fault.used" and rules.get(rule_id, {}).get("count"):
        rules[rule_id]["count"] -= 1
        if not rules[rule_id]["count"]:
            del rules[rule_id]


def _is_gone(rule_id: str, in_file: list[str]) -> bool:
    """Whether a rule was in faults.toml and is not any more."""
    return rule_id.startswith("flt_file_") and rule_id not in in_file


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
