"""A provider joined to its ports: its rules, its notices and its statements."""

from typing import Any

from actors.wiring.ports import Ports
from payrail.domain.words.kinds import PROVIDERS
from payrail.runtime.actor import Actor


def provider_core(ports: Ports) -> Actor[Any]:
    from actors.provider.core import Provider
    from actors.provider.faultfile import open_faults
    from actors.provider.seals import HpkeUnseal, open_keys
    from payrail.domain.providers import public_name

    public = public_name(ports.name)
    faults = open_faults(ports.fs, ports.name, makes_it=ports.name == PROVIDERS[0])
    keys = open_keys(ports.fs, ports.rng, ports.name, public)
    unseal, seed = HpkeUnseal(keys, public), ports.settings.seed
    return Provider(ports.name, public, unseal=unseal, seed=seed, faults=faults)


def provider_works(ports: Ports) -> Any:
    from actors.provider.statements import statement_works
    from payrail.runtime.resident import all_works

    return all_works(_notice_works(ports), lambda _control: statement_works(ports.fs))


def _notice_works(ports: Ports) -> Any:
    from actors.provider.posting import TOTAL_MS, notice_works
    from payrail.domain.providers import public_name
    from payrail.security.notices import notice_key
    from payrail.security.secrets import secret
    from payrail.web.outgoing import Outgoing

    given = ports.settings.house_secret.get_secret_value()
    key = notice_key(secret(ports.fs, "house", ports.rng, given=given), public_name(ports.name))

    def posting() -> Outgoing:
        return Outgoing(ports.clock, guard=None, total_ms=TOTAL_MS)

    return lambda _control: notice_works(ports.settings.api_url, key, ports.clock, posting)
