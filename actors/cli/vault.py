"""`vault …`: the keys that cards rest under. Never: prints a key, or a card."""

import typer

from actors.cli.vault_audit import audit
from actors.cli.vault_hands import protect, unlock
from actors.cli.vault_keys import keys, rotate

vault = typer.Typer(help="The vault's keys and who used its cards.", no_args_is_help=True)
vault.command("rotate")(rotate)
vault.command("keys")(keys)
vault.command("audit")(audit)
vault.command("protect")(protect)
vault.command("unlock")(unlock)


def register(app: typer.Typer) -> None:
    app.add_typer(vault, name="vault")
