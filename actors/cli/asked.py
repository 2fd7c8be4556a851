"""Orders about what the API knows, as verbs: who asks, for whom, under which key, dry or not.

A verb says only what is in its body; whom it is for is looked up where it can be. An answer that
is not final is said so on stderr, and the key with which the same order may be given again.
Never: tries again by itself, and never reads a decline as a failure of the command.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from actors.cli.common import AsJson, put_json, put_object, say, settings
from actors.cli.exits import usage
from actors.cli.resources import (
    Ident,
    Resource,
    as_command,
    fetched,
    parameter,
    path_of,
    put_one,
)

Body = dict[str, Any]
#: Whose payment an order without an id of its own is about.
_ABOUT, _PAYMENTS = "payment_intent", "/payment-intents"
_DECLINED, _WAITING = 402, 202

_AS = typer.Option("--as", metavar="USER", help="Ask as this user; the checker is another.")
_ROLE = typer.Option("--role", help="In this role: admin, operator, approver, …")
_KEY = typer.Option("--key", help="Idempotency-Key; one is made, and told, without it.")
_DRY = typer.Option("--dry-run", help="Say what it would do, and do nothing.")
_FOR = typer.Option("--merchant", metavar="ID", help="For this merchant, such as m_001.")


@dataclass(frozen=True, slots=True)
class _Asking:
    """How an order is given; an empty text: as the house thinks best."""

    merchant: str
    user: str
    role: str
    key: str
    as_json: bool
    dry_run: bool = False


def order(
    app: typer.Typer,
    of: Resource,
    name: str,
    *,
    path: str = "",
    new: bool = False,
    dry: bool = False,
) -> Callable[[Callable[..., Body]], Callable[..., Body]]:
    """Make the verb `name` of a function that gives the body of its order; its docstring is the
    help. `new`: it makes one, so there is no id yet. `dry`: the API takes it as a question too."""

    def made(body_of: Callable[..., Body]) -> Callable[..., Body]:
        own = list(inspect.signature(body_of, eval_str=True).parameters.values())

        def run(ident: str = "", **given: Any) -> None:
            body = body_of(**{one.name: given.pop(one.name) for one in own})
            where = of.path if new else path_of(of, ident, path or name)
            _give(of, where, ident, body, _Asking(**given))

        subject = [] if new else [parameter("ident", Ident)]
        mine = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
        app.command(name)(as_command(run, body_of.__doc__ or "", [*subject, *mine, *_how(dry)]))
        return body_of

    return made


def pairs(texts: list[str], example: str) -> dict[str, str]:
    """NAME=VALUE as they are typed. Raises Stop 64."""
    parted = [one.partition("=") for one in texts]
    if not all(name and sign for name, sign, _ in parted):
        raise usage("it is NAME=VALUE", f"For example: {example}")
    return {name: value for name, _, value in parted}


def said(**fields: Any) -> Body:
    """A body with the fields that were given."""
    return {name: value for name, value in fields.items() if value not in (None, "", {})}


def _how(dry: bool) -> list[Any]:
    dry_run = [parameter("dry_run", Annotated[bool, _DRY], False)] if dry else []
    return [
        parameter("merchant", Annotated[str, _FOR], ""),
        parameter("user", Annotated[str, _AS], ""),
        parameter("role", Annotated[str, _ROLE], ""),
        parameter("key", Annotated[str, _KEY], ""),
        *dry_run,
        parameter("as_json", AsJson, False),
    ]


def _give(of: Resource, path: str, ident: str, body: Body, how: _Asking) -> None:
    from actors.cli.doors import ask, must
    from actors.cli.providers import service_key_text

    merchant = how.merchant or _merchant_of(of, ident, body)
    status, answer = ask(
        "POST",
        f"{settings().api_url}{path}{'?dry_run=true' if how.dry_run else ''}",
        body,
        key=service_key_text(),
        once=how.key or _made_key(told=not how.dry_run),
        merchant=merchant,
        user=how.user,
        role=how.role,
    )
    if status == _DECLINED:
        say(f"{answer['code']}: {answer['detail']}")
        answer = answer[_ABOUT]
    else:
        answer = must(status, answer)
    if status == _WAITING:
        say(f"not final yet; ask again with the same --key, or see `payrail {of.name} show`")
    if how.dry_run:
        (put_json if how.as_json else put_object)(answer)
    else:
        put_one(of, answer, as_json=how.as_json)


def _made_key(*, told: bool) -> str:
    """A key of its own for this order, told before the order leaves."""
    from actors.cli.doors import fresh_key

    key = fresh_key()
    if told:
        say(f"--key {key}")
    return key


def _merchant_of(of: Resource, ident: str, body: Body) -> str:
    """Whose it is; for something new without a payment the first merchant of the demo. Raises Stop
    66 for what there is not, 64 when somebody must say."""
    if ident:
        return str(fetched(path_of(of, ident))["merchant_id"] or "")
    if about := body.get(_ABOUT):
        from actors.cli.pay import PAYMENTS

        return str(fetched(path_of(PAYMENTS, about))["merchant_id"])
    return first_merchant()


def first_merchant() -> str:
    """Empty where nobody has booked a merchant yet: the house then says what is wrong."""
    from actors.cli.people import booked
    from payrail.domain.access import DEMO_MERCHANT

    known = booked().merchants
    if not known or DEMO_MERCHANT in known:
        return DEMO_MERCHANT if known else ""
    raise usage("for which merchant?", f"Say --merchant; there are: {', '.join(known)}.")
