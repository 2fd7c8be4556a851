"""The vault joined to its ports: sealed until its keys fit, then an actor like any other.

Never: holds a key. Those go from their file into `VaultKeys`.
"""

from typing import Any

from actors.wiring.ports import Ports, at_home
from payrail.domain.words.kinds import PROVIDERS
from payrail.runtime.actor import Actor
from payrail.runtime.control import Resident


def vault_resident(ports: Ports) -> Resident:
    """Sealed until its keys fit, then an actor like any other."""
    from actors.vault.keys import open_keys
    from actors.vault.resident import VaultResident

    settings, given = ports.settings, ports.settings.vault_key.get_secret_value()
    return VaultResident(
        open_keys=lambda wrapping: open_keys(ports.fs, ports.clock, ports.rng, given, wrapping),
        at_home=lambda keys, doors: at_home(
            ports,
            lambda: _core(ports, keys),
            [_door(ports, keys), *doors],
            _works(ports, keys),
        ),
        sealed_door=lambda sealed, open_keys: _sealed_door(ports, sealed, open_keys),
        host=settings.host,
        port=settings.vault_port,
        log=ports.log,
    )


def _sealed_door(ports: Ports, sealed: Any, open_keys: Any) -> Any:
    from actors.vault.guard import Guard
    from actors.vault.keys import VaultLocked
    from actors.vault.sealed_door import SealedDoor
    from payrail.security.secrets import secret
    from payrail.web.cors import origins_of

    given = ports.settings.internal_secret.get_secret_value()
    is_locked = isinstance(sealed, VaultLocked)
    return SealedDoor(
        sealed.why,
        guard=Guard(sealed.protection, ports.clock, ports.log) if is_locked else None,
        open_keys=open_keys,
        internal_secret=secret(ports.fs, "internal", ports.rng, given=given),
        rng=ports.rng,
        log=ports.log,
        origins=origins_of(ports.settings.console_url),
    )


def _core(ports: Ports, keys: Any) -> Actor[Any]:
    from actors.vault.core import Vault
    from actors.vault.seals import HpkeSeals

    vault = Vault(keys, HpkeSeals(ports.fs))
    vault.peers = ("gateway", "vault.http", *PROVIDERS)
    return vault


def _works(ports: Ports, keys: Any) -> Any:
    from actors.vault.cardkeys import shredding
    from actors.vault.key_works import key_works
    from payrail.runtime.resident import all_works

    return all_works(
        lambda _control: key_works(ports.fs, ports.rng, keys),
        lambda _control: shredding(ports.fs),
    )


def _door(ports: Ports, keys: Any) -> Any:
    from actors.vault.listener import vault_door
    from payrail.runtime.cells import HomeCells
    from payrail.runtime.house import status
    from payrail.web.whole import Whole

    access = Whole(HomeCells(ports.home), "gateway", lambda: status(ports.home))
    return vault_door(
        settings=ports.settings,
        fs=ports.fs,
        clock=ports.clock,
        rng=ports.rng,
        bell=ports.bell,
        log=ports.log,
        keys=keys,
        must_be_whole=access.must_be,
    )
