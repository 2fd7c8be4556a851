"""Who lives in the house, and how each is made: as a process of its own, or all in one.

`build` makes a resident for a process of its own; `run_inline` puts the whole house into one.
`cores` gives the actors without their ports, for those who fold journals again.
"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from actors.wiring.ports import Ports, at_home
from actors.wiring.provider import provider_core, provider_works
from actors.wiring.vault import vault_resident
from payrail.domain.words.kinds import PROVIDERS
from payrail.errors import BadSettings
from payrail.runtime.actor import Actor
from payrail.runtime.clocks import MACHINE, Ticks
from payrail.runtime.control import Control, Resident
from payrail.security.dumps import no_core_dumps
from payrail.settings import load_settings

#: In the order of starting; the front door is the last to start and the first to stop. The console
#: only asks it, and says so while it is away.
NAMES = (
    *("vault", "provider-a", "provider-b", "gateway", "reconciler", "dispatcher"),
    *("console", "frontdoor"),
)
#: Who holds a card in clear, for the length of a call.
_WITH_CARDS = ("vault", *PROVIDERS)
#: Settings that are for one actor alone: no other process has them in its environment or its core.
PRIVATE = {"vault": ("PAYRAIL_VAULT_KEY",)}
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
    ports = Ports(name, home, settings, ticks)
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


def _frontdoor(ports: Ports) -> Resident:
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


def _console(ports: Ports) -> Resident:
    from actors.console.resident import ConsoleResident

    return ConsoleResident(
        settings=ports.settings,
        fs=ports.fs,
        clock=ports.clock,
        rng=ports.rng,
        log=ports.log,
    )


def _actor(ports: Ports, *, demo: bool) -> Resident:
    if ports.name == "vault":
        return vault_resident(ports)
    doors = [_lag_gauge(ports)] if ports.name == "dispatcher" else []
    return at_home(ports, lambda: _make_core(ports, demo=demo), doors, _works(ports))


def _works(ports: Ports) -> Any:
    """What this actor does beside its loop."""
    from payrail.runtime.resident import no_works

    if ports.name == "dispatcher":
        return _dispatcher_works(ports)
    if ports.name == "reconciler":
        from actors.reconciler.works import reconciler_works

        return lambda _control: reconciler_works(ports.fs)
    if ports.name == "gateway":
        return _gateway_works(ports)
    return provider_works(ports) if ports.name in PROVIDERS else no_works


def _gateway_works(ports: Ports) -> Any:
    from actors.gateway.rule_watch import rule_works

    return lambda _control: rule_works(ports.fs, ports.log, _gateway_rules(ports))


def _dispatcher_works(ports: Ports) -> Any:
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


def _lag_gauge(ports: Ports) -> Any:
    from actors.dispatcher.works import lag_gauge

    return lag_gauge(ports.clock)


def _dispatcher(ports: Ports) -> Actor[Any]:
    from actors.dispatcher.core import Dispatcher
    from actors.dispatcher.settings import Policy
    from payrail.domain.webhooks import SCHEDULES

    return Dispatcher(Policy(SCHEDULES[ports.settings.webhook_schedule]))


def _make_core(ports: Ports, *, demo: bool) -> Actor[Any]:
    if ports.name == "gateway":
        return _gateway(ports, demo=demo)
    if ports.name == "dispatcher":
        return _dispatcher(ports)
    if ports.name == "reconciler":
        return _reconciler(ports)
    return provider_core(ports)


def _gateway(ports: Ports, *, demo: bool) -> Actor[Any]:
    from actors.gateway.core import Gateway
    from actors.gateway.rule_files import judge, open_all
    from actors.gateway.rule_watch import tell

    rules = _gateway_rules(ports, demo=demo)
    found = open_all(ports.fs)
    for file in found:
        if judge(file, rules) is not None:
            tell(ports.log, file, rules)
    return Gateway(rules, peers=_GATEWAY_PEERS, files=found)


def _gateway_rules(ports: Ports, *, demo: bool = False) -> Any:
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


def _reconciler(ports: Ports) -> Actor[Any]:
    from actors.reconciler.core import Jobs, Reconciler

    settings = ports.settings
    return Reconciler(Jobs(settings.settle_every_ms, settings.reconcile_every_ms))
