"""Every operation of the two listeners, in one table; the router and the document read it."""

from msgspec.structs import replace
from pydantic import BaseModel

from actors.frontdoor import models, shown
from actors.frontdoor.commands import Commands
from actors.frontdoor.drills import Drills, inner_health
from actors.frontdoor.fault_header import MAY
from actors.frontdoor.health import VERBS, House
from actors.frontdoor.lists import EVENTS_LIMIT_DEFAULT, EVENTS_LIMIT_MAX, Reads
from actors.frontdoor.payment_filters import FILTERS
from actors.frontdoor.trying import QUERY as DRY_RUN
from payrail.domain.access import ADMINS, PAYERS
from payrail.domain.event_types import FAMILIES, TYPES
from payrail.web import parameters
from payrail.web.metrics import Handler
from payrail.web.openapi import Route

_PAGED = ("limit", "cursor")
EVENT_SCHEMAS: dict[str, parameters.Schema] = {
    "type": {
        "type": "string",
        "enum": [*TYPES, *(f"{family}.*" for family in FAMILIES), *FAMILIES],
        "description": "A type, or a family of types.",
    },
    "after": {
        "type": "string",
        "pattern": "^(?:[0-9]{1,15}|evt_[A-Za-z0-9_]{1,40})$",
        "examples": ["1043"],
    },
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": EVENTS_LIMIT_MAX,
        "default": EVENTS_LIMIT_DEFAULT,
    },
}


def public_routes(commands: Commands, reads: Reads, house: House, drills: Drills) -> list[Route]:
    """8026: the API of merchants and of the house."""
    return [*_payments(commands, reads), *_books(reads), *_house(house, drills)]


def inner_routes(drills: Drills, house: House) -> list[Route]:
    """8028: the providers' inner door, for whoever knows the internal secret."""
    return [
        _inject(drills),
        Route(
            "DELETE",
            "/providers/{id}/faults",
            drills.clear,
            "Clear the faults of a provider",
            shown.AnyObject,
        ),
        Route("GET", "/health", inner_health, "A sign of life", shown.Alive, open_to_all=True),
    ]


def _payments(commands: Commands, reads: Reads) -> list[Route]:
    path = "/payment-intents"
    about = f"{path}/{{id}}"
    nothing, part = models.NoFields, models.CapturePaymentIntent
    return [
        Route(
            "POST",
            path,
            commands.create,
            "Create a payment, and confirm it at once if asked to",
            shown.PaymentOrDryRun,
            status=201,
            takes=models.CreatePaymentIntent,
            query=(DRY_RUN,),
            may_head=MAY,
            keyed=True,
            may_also=(200, 202),
            roles=PAYERS,
            codes=("card-declined", "unknown-token"),
        ),
        Route(
            "GET",
            path,
            reads.payments,
            "List payments, newest first; a filter may answer a short page with has_more",
            shown.PaymentIntents,
            query=(*FILTERS, *_PAGED),
        ),
        Route(
            "GET",
            about,
            reads.payment,
            "Show a payment, now or at a time",
            shown.PaymentIntent,
            query=("at",),
        ),
        _order(
            f"{about}/authorize", commands.authorize, "Hold the money", nothing, "card-declined"
        ),
        _order(
            f"{about}/capture",
            commands.capture,
            "Claim held money, or a part of it",
            part,
            "amount-exceeds",
            "authorization-expired",
        ),
        _order(f"{about}/cancel", commands.cancel, "Give held money back", nothing),
    ]


def _order(path: str, handler: Handler, summary: str, takes: type[BaseModel], *codes: str) -> Route:
    """An order about a payment: its body may be empty, its key may not."""
    return Route(
        "POST",
        path,
        handler,
        summary,
        shown.PaymentOrDryRun,
        takes=takes,
        body_needed=False,
        query=(DRY_RUN,),
        may_head=MAY,
        keyed=True,
        may_also=(202,),
        roles=PAYERS,
        codes=codes,
    )


def _books(reads: Reads) -> list[Route]:
    return [
        Route(
            "GET",
            "/ledger/{id}",
            reads.ledger,
            "All entries of a payment, its refunds and disputes, and the state they make",
            shown.Ledger,
        ),
        Route(
            "GET",
            "/balances",
            reads.balances,
            "Balances by account, now or at a time",
            shown.Balances,
            query=("at",),
        ),
        Route(
            "GET",
            "/events",
            reads.events,
            "Events after a sequence number or an event, of a type or of all",
            shown.Events,
            query=("after", "type", *_PAGED),
            schemas=EVENT_SCHEMAS,
        ),
    ]


def _house(house: House, drills: Drills) -> list[Route]:
    orders = [
        Route(
            "POST",
            f"/actors/{{name}}/{verb}",
            house.ordering(verb),
            f"Tell the supervisor to {verb} an actor",
            shown.Order,
            status=202,
            roles=ADMINS,
        )
        for verb in VERBS
    ]
    return [
        Route("GET", "/providers", house.providers, "List providers", shown.Providers),
        Route("GET", "/providers/{id}", house.provider, "Show a provider", shown.Provider),
        replace(_inject(drills), roles=ADMINS),
        Route(
            "GET",
            "/actors/{name}/mailbox",
            house.mailbox,
            "What lies in a mailbox, without bodies",
            shown.Mailbox,
            roles=ADMINS,
        ),
        *orders,
        Route("GET", "/health", house.health, "How each actor is", shown.Health, open_to_all=True),
        Route(
            "GET",
            "/ready",
            house.ready,
            "Whether every actor serves",
            shown.Ready,
            open_to_all=True,
        ),
    ]


def _inject(drills: Drills) -> Route:
    return Route(
        "POST",
        "/providers/{id}/inject-failure",
        drills.inject,
        "Make a provider fail on purpose",
        shown.AnyObject,
        takes=models.FaultRule,
        may_also=(201,),
    )
