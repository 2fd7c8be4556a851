"""`vault rotate` and `vault keys`. Never: prints a key, or a card."""

import time
from collections import Counter
from typing import Annotated, Any

import typer

from actors.cli.common import AsJson, files, put_json, put_rows, put_table, say, settings
from actors.cli.exits import DAMAGE, FAILED, NO_SUCH, TRY_LATER, Stop

#: Without one card moved for so long, something else is wrong.
PATIENCE_S = 60.0
#: The vault counts its cards each time.
LOOK_S = 1.0
_COLUMNS = ("id", "created_at", "retired_at", "cards")

Wait = Annotated[bool, typer.Option("--wait", help="Until the older keys are retired.")]


def rotate(wait: Wait = False, as_json: AsJson = False) -> None:
    """Make a new key; every card is moved under it.

    Returns when the new key is in use. The cards are moved in the background, and the older key's
    bytes are taken away when nothing is under it; the house serves meanwhile.
    """
    told = begun = _asked("POST")
    if wait:
        told = _waited(begun)
    if as_json:
        put_json(told)
    else:
        row = (told["key_id"], " ".join(begun["previous"]) or "-", told["cards_to_do"])
        put_table(("key", "in the place of", "cards to move"), [row])


def keys(as_json: AsJson = False) -> None:
    """Show the keys that cards rest under, the newest first."""
    rows = _rows()
    if as_json:
        put_json(rows)
        return
    put_rows(_COLUMNS, rows)
    for row in rows:
        if tokens := row.get("lost"):
            say(f"{row['id']} is lost, and {len(tokens)} cards do not open: {' '.join(tokens)}")


def _asked(method: str) -> Any:
    from actors.cli.doors import ask, must
    from actors.cli.providers import internal_secret_text

    url = f"{settings().vault_url}/rotate-keys"
    return must(*ask(method, url, key=internal_secret_text()))


def _waited(told: dict[str, Any]) -> dict[str, Any]:
    """How the keys are when the older ones are gone. Raises Stop 1 when cards do not open, 75 when
    nothing goes on."""
    from actors.cli.progress import progress_bar

    left = total = int(told["cards_to_do"])
    until = time.monotonic() + PATIENCE_S
    with progress_bar("cards moved", total) as advance:
        while True:
            shown = _asked("GET")
            for _ in range(left - shown["cards_to_do"]):
                advance()
            if shown["cards_to_do"] < left:
                left, until = shown["cards_to_do"], time.monotonic() + PATIENCE_S
            if not shown["previous"]:
                return {**told, "previous": [], "cards_to_do": 0}
            _must_go_on(shown, until)
            time.sleep(LOOK_S)


def _must_go_on(shown: dict[str, Any], until: float) -> None:
    lost = {one["key_id"]: one["cards"] for one in shown["lost"]}
    if not shown["cards_to_do"] and set(shown["previous"]) <= set(lost):
        what = "".join(f"{cards} cards under {key} do not open; " for key, cards in lost.items())
        remedy = "`payrail vault keys` names them; restore data/vault/keys.json, and restart vault."
        raise Stop(FAILED, f"{what}their keys stay", remedy)
    if time.monotonic() > until:
        what = (
            f"{shown['cards_to_do']} cards wait, and {' '.join(shown['previous'])} is not retired"
        )
        raise Stop(TRY_LATER, what, "`payrail tail vault` shows what it does.")


def _rows() -> list[dict[str, Any]]:
    """What stands in the file of keys, with the cards under each, as the vault's journal has them.
    A key that cards are under and that is not there is lost. Raises Stop 65, 66."""
    from actors.vault.keyfile import KEYS, read_keys
    from actors.wiring import cores
    from payrail.errors import BadSettings, Damage
    from payrail.runtime.recovery import recover

    fs = files(settings())
    try:
        found = read_keys(fs)
        state = recover(cores()["vault"], fs, last_sent=lambda _receiver: 0).state
    except (BadSettings, Damage) as error:
        raise Stop(DAMAGE, str(error), "`payrail verify` names file and line.") from error
    if found is None:
        raise Stop(NO_SUCH, f"there is no {KEYS}", "The vault makes it at its first start.")
    under = Counter(card.key_id for card in state.cards.values())
    rows: list[dict[str, Any]] = [
        {
            "id": line.id,
            "created_at": line.created_at,
            "retired_at": line.retired_at,
            "cards": under.pop(line.id, 0),
        }
        for line in found.keys
    ]
    for key_id, cards in under.items():
        tokens = [token for token, card in state.cards.items() if card.key_id == key_id]
        lost = {"id": key_id, "created_at": None, "retired_at": None, "cards": cards}
        rows.append({**lost, "lost": tokens})
    return rows
