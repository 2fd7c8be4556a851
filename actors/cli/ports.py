"""The ports of a house: who listens where, and whether each can be had.

Never: keeps a port; the actors open theirs themselves.
"""

import socket
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from actors.cli.exits import SETTINGS, Stop

if TYPE_CHECKING:
    from payrail.settings import Settings

#: A house that was just killed lets go of its ports within this time.
LET_GO_S_MAX = 2.0
_LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Port:
    """`owner`: the actor that listens there."""

    variable: str
    number: int
    owner: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a port cannot be had, and what to do about it."""

    seen: str
    remedy: str


def ports_of(chosen: "Settings") -> list[Port]:
    """All ports of the settings, in the order in which people see them."""
    return [
        Port("PAYRAIL_API_PORT", chosen.api_port, "frontdoor"),
        Port("PAYRAIL_VAULT_PORT", chosen.vault_port, "vault"),
        Port("PAYRAIL_PROVIDER_PORT", chosen.provider_port, "frontdoor"),
        Port("PAYRAIL_CONSOLE_PORT", chosen.console_port, "console"),
    ]


def trouble_of(port: Port, chosen: "Settings") -> Trouble | None:
    """What is wrong with a port while no house runs here; None when it can be had."""
    for other in ports_of(chosen):
        if other != port and other.number == port.number:
            return Trouble(f"{other.variable} has the same number", "Give each its own.")
    family = _family(chosen.host)
    try:
        socket.getaddrinfo(chosen.host, port.number, family)
        with socket.create_server((chosen.host, port.number), family=family):
            return None
    except socket.gaierror as error:
        return Trouble(_reason(error), "Set PAYRAIL_HOST to an address of this machine.")
    except OSError as error:
        return Trouble(_reason(error), f"Set {port.variable} to a free one.")


def ports_must_be_free(chosen: "Settings", names: Collection[str]) -> None:
    """Raise Stop 78 for a port that one of these actors cannot have."""
    until = time.monotonic() + LET_GO_S_MAX
    for port in ports_of(chosen):
        while port.owner in names and (trouble := trouble_of(port, chosen)):
            if time.monotonic() > until:
                what = f"{port.variable}: {port.number} cannot be had: {trouble.seen}"
                raise Stop(SETTINGS, what, trouble.remedy)
            time.sleep(_LOOK_AGAIN_S)


def _reason(error: OSError) -> str:
    """The system's own words; the library adds the address, which stands there anyway."""
    return (error.strerror or "taken").partition(" (while ")[0]


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
