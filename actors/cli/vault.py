"""`vault …`: the keys that cards rest under. Never: prints a key, or a card."""

import json
from typing import Any

import typer

from actors.cli.common import AsJson, files, put_json, put_rows, settings
from actors.cli.exits import NO_SUCH, Stop
from actors.cli.vault_audit import audit

vault = typer.Typer(help="The vault's keys and who used its cards.", no_args_is_help=True)
vault.command("audit")(audit)

_SHOWN = ("id", "created_at", "retired_at")


def register(app: typer.Typer) -> None:
    app.add_typer(vault, name="vault")


@vault.command("keys")
def keys(as_json: AsJson = False) -> None:
    """Show the keys that cards rest under, the newest first."""
    rows = [{name: line[name] for name in _SHOWN} for line in _lines()]
    if as_json:
        put_json(rows)
    else:
        put_rows(_SHOWN, rows)


def _lines() -> list[dict[str, Any]]:
    """The lines of data/vault/keys.json. Raises Stop 66."""
    from actors.vault.keyfile import KEYS

    try:
        return list(json.loads(files(settings()).read(KEYS))["keys"])
    except (FileNotFoundError, ValueError, KeyError) as error:
        what = f"{KEYS} holds no keys that can be read"
        raise Stop(NO_SUCH, what, "The vault makes it at its first start.") from error
