"""What stands behind the two listeners: every handler, joined to its parts.

Never: listens, or handles a request.
"""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from actors.frontdoor.app import inner_app, public_app
from actors.frontdoor.asking import Asking
from actors.frontdoor.card_access import CardAccesses
from actors.frontdoor.cases import Cases
from actors.frontdoor.challenges import Challenges
from actors.frontdoor.clock import Clocks
from actors.frontdoor.clock_hand import ClockHand
from actors.frontdoor.commands import Commands
from actors.frontdoor.deliveries import Deliveries
from actors.frontdoor.disputes import Disputes
from actors.frontdoor.drills import Drills, admin_of, insider
from actors.frontdoor.endpoints import Endpoints
from actors.frontdoor.events import EventsView
from actors.frontdoor.health import House
from actors.frontdoor.hops import Hops, cells_of, ringer_of
from actors.frontdoor.lists import Reads
from actors.frontdoor.metrics_book import actors_seen, answers_into
from actors.frontdoor.neighbours import Neighbours
from actors.frontdoor.notices import Notices, notice_routes
from actors.frontdoor.payouts import Payouts
from actors.frontdoor.people import People
from actors.frontdoor.provider_door import ProviderDoor
from actors.frontdoor.reads import PaymentsView
from actors.frontdoor.refunds import Refunds
from actors.frontdoor.routed import Routed
from actors.frontdoor.routes import inner_routes, public_routes
from actors.frontdoor.rule_reads import RuleReads
from actors.frontdoor.settlements import Settlements
from payrail.domain.webhooks import AllowList
from payrail.runtime.edge import Edge
from payrail.runtime.ports import Bell, Clock, Fs, Rng
from payrail.runtime.reports import Report
from payrail.steplog import StepLog
from payrail.web.access import AccessView
from payrail.web.metrics import Metrics
from payrail.web.openapi import Route
from payrail.web.outgoing import Resolve
from payrail.web.refused import Refusals
from payrail.web.whole import Whole

Views = tuple[PaymentsView, EventsView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What handlers are made of. `actors`: who must serve for the house to be ready."""

    actors: tuple[str, ...]
    neighbours: Neighbours
    report: Report
    fs: Fs
    clock: Clock
    rng: Rng
    log: Any
    steps: StepLog
    edge: Edge
    asking: Asking
    bell: Bell
    access: AccessView
    views: Views
    deliveries: Whole
    card_access: Whole
    resolve: Resolve
    house_secret: bytes
    webhook_allow: tuple[str, ...]


def both_apps(parts: Parts, internal: bytes) -> tuple[web.Application, web.Application]:
    """The public application, then the one for whoever knows the secret `internal`."""
    reads = Reads(parts.access, *parts.views)
    house = House(parts.neighbours, parts.fs, parts.clock, reads, parts.actors)
    return _public(parts, reads, house), _inner(parts, house, internal)


def _public(parts: Parts, reads: Reads, house: House) -> web.Application:
    metrics = Metrics(parts.clock, parts.steps.add, answers_into(parts.report))
    edge = parts.edge

    def scraped() -> str:
        seen = actors_seen(parts.neighbours, parts.actors)
        return metrics.rendered(edge.open_questions, edge.epoch, seen)

    routes = _public_routes(parts, reads, house)
    access = parts.access
    refusals = Refusals(parts.clock, parts.steps.add, access.whose)
    return public_app(routes, metrics, parts.rng, parts.log, scraped, access.admit, refusals)


def _public_routes(parts: Parts, reads: Reads, house: House) -> list[Route]:
    fs, asking, access = parts.fs, parts.asking, parts.access
    payments, _events = parts.views
    may_drill = admin_of(access)
    commands = Commands(asking, access, payments)
    return [
        *public_routes(commands, reads, house, Drills(asking, house, may_drill)),
        *Routed(reads, payments).routes(),
        *Cases(asking, access, reads, payments).routes(),
        *RuleReads(fs, reads).routes(),
        *Challenges(asking, access, payments, parts.clock, parts.rng).routes(),
        *Refunds(asking, access, reads, payments).routes(),
        *Disputes(asking, access, reads, payments).routes(),
        *_endpoints(parts, reads).routes(),
        *People(asking, access, parts.house_secret, parts.rng).routes(),
        *Deliveries(fs, access, reads, parts.deliveries).routes(),
        *CardAccesses(fs, access, reads, parts.card_access).routes(),
        *Payouts(asking, access, reads, payments).routes(),
        *_clocks(parts, reads).routes(),
        *Settlements(fs, asking, access, reads).routes(),
        *notice_routes(Notices(asking, parts.clock, parts.house_secret)),
    ]


def _clocks(parts: Parts, reads: Reads) -> Clocks:
    hand = ClockHand(parts.fs, parts.clock, parts.log)
    look, ring = cells_of(parts.neighbours.cells, parts.actors), ringer_of(parts.bell, parts.actors)
    hops = Hops(hand, look, ring, lambda: parts.asking.closed)
    return Clocks(hand, hops, reads, admin_of(parts.access), parts.log)


def _endpoints(parts: Parts, reads: Reads) -> Endpoints:
    return Endpoints(
        asking=parts.asking,
        access=parts.access,
        reads=reads,
        guard=AllowList(parts.webhook_allow),
        resolve=parts.resolve,
        house_secret=parts.house_secret,
        rng=parts.rng,
    )


def _inner(parts: Parts, house: House, internal: bytes) -> web.Application:
    inside = insider(internal)
    routes = [
        *inner_routes(Drills(parts.asking, house, inside), house),
        *ProviderDoor(parts.asking, house, parts.fs, inside).routes(),
    ]
    return inner_app(
        "PayRail providers", routes, Metrics(parts.clock), parts.rng, parts.log, inside
    )
