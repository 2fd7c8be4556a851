"""Who lives in the house, and how each is joined to its ports: the only room that knows them all.

`build` makes a resident for a process of its own; `run_inline` puts the whole house into one.
`cores` gives the actors without their ports, for those who fold journals again.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from payrail.domain.words.kinds import PROVIDERS
from payrail.errors import BadSettings
from payrail.runtime.actor import Actor
from payrail.runtime.clocks import MACHINE, Ticks
from payrail.runtime.control import Control, Resident
from payrail.security.dumps import no_core_dumps
from payrail.settings import Settings, load_settings
from payrail.storage.fs import RealFs

#: In the order of starting; the front door is the last to start and the first to stop. The console
#: only asks it, and says so while it is away.
NAMES = (
    *("vault", "provider-a", "provider-b", "gateway", "reconciler", "dispatcher"),
    *("console", "frontdoor"),
)
#: Who holds a card in clear, for the length of a call.
_WITH_CARDS = ("vault", *PROVIDERS)
_GATEWAY_PEERS = ("frontdoor", "vault", *PROVIDERS, "dispatcher", "reconciler")
BUILD = "actors.wiring:build"


def preload() -> None:
    """Import what any actor may need, so that a spare is quick to become one."""
    import actors.console.resident
    import actors.dispatcher.core
    import actors.dispatcher.works
    import actors.frontdoor.resident
    import actors.gateway.core
    import actors.provider.core
    import actors.reconciler.core
    import actors.reconciler.works
    import actors.vault.core
    import actors.vault.listener  # noqa: F401
    import payrail.runtime.resident  # noqa: F401


def build(name: str, home: str, options: dict[str, Any], ticks: Ticks = MACHINE) -> Resident:
    """The resident `name` of this home, over the clocks of `ticks`. Raises BadSettings for a name
    that nobody has."""
    settings = load_settings(home)
    if name in _WITH_CARDS:
        no_core_dumps()
    ports = _Ports(name, home, settings, ticks)
    if name == "frontdoor":
        return _frontdoor(ports)
    if name == "console":
        return _console(ports)
    if name not in NAMES:
        raise BadSettings(f"no actor {name!r}; there are {', '.join(NAMES)}")
    return _actor(ports, demo=bool(options.get("demo")))


def cores() -> dict[str, Actor[Any]]:
    """The actors as pure rules, to fold their journals again and not to act: without keys, so that
    reading a home makes none in it. The front door folds nothing."""
    from actors.dispatcher.core import Dispatcher
    from actors.dispatcher.settings import Policy
    from actors.gateway.core import Gateway
    from actors.gateway.settings import Rules
    from actors.provider.core import Provider
    from actors.reconciler.core import Reconciler
    from actors.vault.core import Vault
    from payrail.domain.providers import public_name

    none: Any = _Keyless()
    providers = {name: Provider(name, public_name(name), unseal=none, seed=0) for name in PROVIDERS}
    return {
        "vault": Vault(none, none),
        **providers,
        "gateway": Gateway(Rules()),
        "reconciler": Reconciler(),
        "dispatcher": Dispatcher(Policy()),
    }


class _Keyless:
    """Stands for keys where journals are only folded."""


async def run_inline(home: str, options: dict[str, Any], stopping: asyncio.Event) -> None:
    """The whole house in this process until `stopping`; ready when this has printed so."""
    from payrail.runtime.control import beating, taking_up

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        controls: list[tuple[Control, asyncio.Task[None]]] = []
        for name in NAMES:
            control = stack.enter_context(taking_up(home, name))
            beat = tasks.create_task(beating(control.cell))
            task = tasks.create_task(build(name, home, options).run(control))
            controls.append((control, task))
            task.add_done_callback(lambda _task, beat=beat: beat.cancel())  # type: ignore[misc]
        await stopping.wait()
        for control, task in reversed(controls):
            control.stop()
            await task


class _Ports:
    """The real ports of one actor's process."""

    def __init__(self, name: str, home: str, settings: Settings, ticks: Ticks) -> None:
        from payrail.logs import LogFile, configure_logging
        from payrail.runtime.bells import Bells
        from payrail.runtime.clocks import SystemClock, SystemRng
        from payrail.steplog import StepLog

        self.name, self.home, self.settings = name, home, settings
        self.fs = RealFs(home, durable=settings.fsync)
        stream = LogFile(self.fs.open(f"data/logs/{self.name}.jsonl", create=True))
        self.log: Any = configure_logging(self.name, stream)
        self.clock = SystemClock(self.fs, self.log.warning, ticks)
        self.rng = SystemRng()
        self.bell = Bells(home)
        self.steps = StepLog(self.name, stream, self.clock)


def _frontdoor(ports: _Ports) -> Resident:
    from actors.frontdoor.resident import Frontdoor

    return Frontdoor(
        home=ports.home,
        settings=ports.settings,
        fs=ports.fs,
        clock=ports.clock,
        rng=ports.rng,
        bell=ports.bell,
        log=ports.log,
        steps=ports.steps,
        actors=NAMES,
        providers=PROVIDERS,
    )


def _console(ports: _Ports) -> Resident:
    from actors.console.resident import ConsoleResident

    return ConsoleResident(
        settings=ports.settings,
        fs=ports.fs,
        clock=ports.clock,
        rng=ports.rng,
        log=ports.log,
    )


def _actor(ports: _Ports, *, demo: bool) -> Resident:
    if ports.name == "vault":
        return _vault(ports)
    doors = [_lag_gauge(ports)] if ports.name == "dispatcher" else []
    return _at_home(ports, lambda: _make_core(ports, demo=demo), doors, _works(ports))


def _at_home(
    ports: _Ports, make: Callable[[], Actor[Any]], doors: Sequence[Any], works: Any
) -> Resident:
    from payrail.runtime.resident import ActorResident, Place

    place = Place(ports.name, ports.home, ports.fs, ports.clock, ports.bell, ports.log, ports.steps)
    return ActorResident(place, make, doors, works)


def _works(ports: _Ports) -> Any:
    """What this actor does beside its loop."""
    from payrail.runtime.resident import no_works

    if ports.name == "dispatcher":
        return _dispatcher_works(ports)
    if ports.name == "reconciler":
        from actors.reconciler.works import reconciler_works

        return lambda _control: reconciler_works(ports.fs)
    if ports.name == "gateway":
        return _gateway_works(ports)
    return _provider_works(ports) if ports.name in PROVIDERS else no_works


def _gateway_works(ports: _Ports) -> Any:
    from actors.gateway.rule_watch import rule_works

    return lambda _control: rule_works(ports.fs, ports.log, _gateway_rules(ports))


def _dispatcher_works(ports: _Ports) -> Any:
    from actors.dispatcher.works import works
    from payrail.domain.webhooks import SCHEDULES, AllowList
    from payrail.security.secrets import secret
    from payrail.web.outgoing import Outgoing

    guard = AllowList(ports.settings.webhook_allow)
    total_ms = SCHEDULES[ports.settings.webhook_schedule].timeout_ms

    given = ports.settings.house_secret.get_secret_value()
    return works(
        ports.fs,
        ports.clock,
        house_secret=secret(ports.fs, "house", ports.rng, given=given),
        posting=lambda: Outgoing(ports.clock, guard=guard, total_ms=total_ms),
    )


def _lag_gauge(ports: _Ports) -> Any:
    from actors.dispatcher.works import lag_gauge

    return lag_gauge(ports.clock)


def _dispatcher(ports: _Ports) -> Actor[Any]:
    from actors.dispatcher.core import Dispatcher
    from actors.dispatcher.settings import Policy
    from payrail.domain.webhooks import SCHEDULES

    return Dispatcher(Policy(SCHEDULES[ports.settings.webhook_schedule]))


def _provider_works(ports: _Ports) -> Any:
    from actors.provider.statements import statement_works
    from payrail.runtime.resident import all_works

    return all_works(_notice_works(ports), lambda _control: statement_works(ports.fs))


def _notice_works(ports: _Ports) -> Any:
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


def _make_core(ports: _Ports, *, demo: bool) -> Actor[Any]:
    if ports.name == "gateway":
        return _gateway(ports, demo=demo)
    if ports.name == "dispatcher":
        return _dispatcher(ports)
    if ports.name == "reconciler":
        return _reconciler(ports)
    return _provider(ports)


def _gateway(ports: _Ports, *, demo: bool) -> Actor[Any]:
    from actors.gateway.core import Gateway
    from actors.gateway.rule_files import judge, open_all
    from actors.gateway.rule_watch import tell

    rules = _gateway_rules(ports, demo=demo)
    found = open_all(ports.fs)
    for file in found:
        if judge(file, rules) is not None:
            tell(ports.log, file, rules)
    return Gateway(rules, peers=_GATEWAY_PEERS, files=found)


def _gateway_rules(ports: _Ports, *, demo: bool = False) -> Any:
    from actors.gateway.settings import Rules
    from payrail.domain.providers import public_name
    from payrail.security.secrets import secret

    return Rules(
        provider_timeout_ms=ports.settings.provider_timeout_ms,
        providers=tuple(public_name(name) for name in PROVIDERS),
        demo=demo,
        seed=ports.settings.seed,
        challenge_key=secret(ports.fs, "gateway/challenges", ports.rng),
    )


def _reconciler(ports: _Ports) -> Actor[Any]:
    from actors.reconciler.core import Jobs, Reconciler

    settings = ports.settings
    return Reconciler(Jobs(settings.settle_every_ms, settings.reconcile_every_ms))


def _vault(ports: _Ports) -> Resident:
    """Sealed until its keys fit, then an actor like any other."""
    from actors.vault.keys import open_keys
    from actors.vault.resident import VaultResident

    settings, given = ports.settings, ports.settings.vault_key.get_secret_value()
    return VaultResident(
        open_keys=lambda wrapping: open_keys(ports.fs, ports.clock, ports.rng, given, wrapping),
        at_home=lambda keys, doors: _at_home(
            ports,
            lambda: _vault_core(ports, keys),
            [_vault_door(ports, keys), *doors],
            _vault_works(ports, keys),
        ),
        sealed_door=lambda sealed, open_keys: _sealed_door(ports, sealed, open_keys),
        host=settings.host,
        port=settings.vault_port,
        log=ports.log,
    )


def _sealed_door(ports: _Ports, sealed: Any, open_keys: Any) -> Any:
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


def _vault_core(ports: _Ports, keys: Any) -> Actor[Any]:
    from actors.vault.core import Vault
    from actors.vault.seals import HpkeSeals

    vault = Vault(keys, HpkeSeals(ports.fs))
    vault.peers = ("gateway", "vault.http", *PROVIDERS)
    return vault


def _vault_works(ports: _Ports, keys: Any) -> Any:
    from actors.vault.cardkeys import shredding
    from actors.vault.key_works import key_works
    from payrail.runtime.resident import all_works

    return all_works(
        lambda _control: key_works(ports.fs, ports.rng, keys),
        lambda _control: shredding(ports.fs),
    )


def _vault_door(ports: _Ports, keys: Any) -> Any:
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


def _provider(ports: _Ports) -> Actor[Any]:
    from actors.provider.core import Provider
    from actors.provider.faultfile import open_faults
    from actors.provider.seals import HpkeUnseal, open_keys
    from payrail.domain.providers import public_name

    public = public_name(ports.name)
    faults = open_faults(ports.fs, ports.name, makes_it=ports.name == PROVIDERS[0])
    keys = open_keys(ports.fs, ports.rng, ports.name, public)
    unseal, seed = HpkeUnseal(keys, public), ports.settings.seed
    return Provider(ports.name, public, unseal=unseal, seed=seed, faults=faults)
