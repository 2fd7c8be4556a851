"""The merchants of a plan at a house: registered by the house's own key, with two people each.

One of them asks, the other judges; a third key is publishable, for the vault. They are found again
by name: whoever plays once more registers nobody twice. The demo's merchants are there already.
Never: keeps the text of a key; it is derived from the house's secret, as the front door does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from actors.cli.doors import ask, must
from payrail.domain.synthetic import Merchant
from payrail.security.apikeys import derive_key

Row = dict[str, Any]
#: Role, and whose of a merchant's people it is.
_ROLES = (("admin", "keeper"), ("approver", "checker"), ("publishable", "keeper"))
_ONE_PAGE = 100


@dataclass(slots=True)
class Registered:
    """`names`: from a merchant of the plan to the house's; `keys`: by those, and role."""

    names: dict[str, str] = field(default_factory=dict)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)


class Registry:
    """Asks one house, whose secret is `house_secret`, with its service key."""

    def __init__(self, api_url: str, service_key: str, house_secret: bytes) -> None:
        self._api_url, self._key, self._secret = api_url, service_key, house_secret

    def register(self, merchants: Sequence[Merchant]) -> Registered:
        """See that each of them is there. Raises Stop, NotRunning."""
        known = {(row["name"], row["mcc"]): row for row in self._all("/merchants")}
        users, keys = self._all("/users"), self._all("/keys")
        found = Registered()
        for merchant in merchants:
            row = known.get((merchant.name, merchant.mcc)) or self._make(
                "/merchants", {"name": merchant.name, "mcc": merchant.mcc}, merchant.id
            )
            own = [one for one in users if one["merchant_id"] == row["id"]]
            found.names[merchant.id] = row["id"]
            found.keys[row["id"]] = self._keys(merchant, row["id"], own, keys)
        return found

    def _keys(
        self, merchant: Merchant, merchant_id: str, users: list[Row], keys: list[Row]
    ) -> dict[str, str]:
        ids = {one["name"]: one["id"] for one in users if one["state"] == "active"}
        made: dict[str, str] = {}
        for role, person in _ROLES:
            name = f"{merchant.name}, {person}"
            once = f"{merchant.id}-{merchant_id}-{person}"
            if name not in ids:
                ids[name] = self._make("/users", {"name": name}, once, merchant_id)["id"]
            key = next((one for one in keys if _fits(one, ids[name], role)), None)
            key = key or self._make("/keys", {"user": ids[name], "role": role}, f"{once}-{role}")
            made[role] = derive_key(
                self._secret, key["id"], key["version"], publishable=key["publishable"]
            )
        return made

    def _make(self, path: str, body: Row, once: str, merchant: str = "") -> Row:
        url, name = f"{self._api_url}{path}", f"seed-{once}"
        row: Row = must(*ask("POST", url, body, key=self._key, once=name, merchant=merchant))
        return row

    def _all(self, path: str) -> list[Row]:
        rows: list[Row] = []
        cursor = ""
        while True:
            url = f"{self._api_url}{path}?limit={_ONE_PAGE}{cursor}"
            page = must(*ask("GET", url, key=self._key))
            rows += page["data"]
            if not page["has_more"]:
                return rows
            cursor = f"&cursor={page['next_cursor']}"


def _fits(key: Row, user: str, role: str) -> bool:
    return (key["user"], key["role"], key["state"]) == (user, role, "active")
