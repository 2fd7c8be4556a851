"""The OpenAPI document and the plain page of a listener, both out of its own table of routes.

Never: names another host. The page loads nothing.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from msgspec import json
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from payrail.domain.access import ROLES
from payrail.web.metrics import Handler

_PARAMETER = re.compile(r"\{([a-z_]+)\}")
_REF = "#/components/schemas/{model}"
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: how it is reached, who handles it, and what the document says of it."""

    method: str
    path: str
    handler: Handler
    summary: str
    answers: type[BaseModel] | None = None  # None: not JSON
    status: int = 200
    takes: type[BaseModel] | None = None
    body_needed: bool = True
    query: tuple[str, ...] = ()
    keyed: bool = False  # needs an Idempotency-Key
    open_to_all: bool = False  # needs no key
    may_also: tuple[int, ...] = ()  # statuses that carry the same object
    #: Who may, told as `x-roles`; empty: the house's service key; None: another secret is needed.
    roles: frozenset[str] | None = None


def document(title: str, version: str, routes: Sequence[Route], problem: type[BaseModel]) -> bytes:
    """The OpenAPI 3.1 document as JSON."""
    models: list[tuple[type[BaseModel], Any]] = [(problem, "serialization")]
    models += [(route.takes, "validation") for route in routes if route.takes]
    models += [(route.answers, "serialization") for route in routes if route.answers]
    names, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, names, problem)
    return json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": title, "version": version},
            "security": [{"key": []}],
            "paths": paths,
            "components": {
                "schemas": definitions.get("$defs", {}),
                "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            },
        }
    )


def document_handler(
    title: str, version: str, routes: Sequence[Route], problem: type[BaseModel]
) -> Handler:
    """Answers with the document, which is made when somebody asks for the first time: a restart
    must not wait for it."""
    made: list[bytes] = []

    async def answer(_request: web.Request) -> web.Response:
        if not made:
            made.append(document(title, version, routes, problem))
        return web.Response(body=made[0], content_type="application/json")

    return answer


def page(title: str, routes: Sequence[Route]) -> str:
    """The operations as one page for people."""
    rows = "\n".join(
        f"<tr><td>{route.method}</td><td><code>{html.escape(route.path)}</code></td>"
        f"<td>{html.escape(route.summary)}</td></tr>"
        for route in routes
    )
    return (
        "<!doctype html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;"
        "padding:0 1rem}td{padding:.25rem .75rem;border-top:1px solid #ccc;text-align:left}"
        "</style></head>\n"
        f"<body><h1>{html.escape(title)}</h1>\n"
        '<p>The same as a document: <a href="/openapi.json">/openapi.json</a>. Send'
        " <code>Authorization: Bearer &lt;key&gt;</code>, and an <code>Idempotency-Key</code>"
        " with every order.</p>\n"
        f"<table>\n{rows}\n</table></body></html>\n"
    )


def page_answer(text: str) -> web.Response:
    """A page, with a policy under which it can load nothing."""
    headers = {"Content-Security-Policy": _PAGE_POLICY, "X-Content-Type-Options": "nosniff"}
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


def _operation(route: Route, names: Any, problem: type[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "responses": _responses(route, names, problem),
    }
    if parameters := _parameters(route):
        found["parameters"] = parameters
    if route.takes is not None:
        schema = names[(route.takes, "validation")]
        content = {"application/json": {"schema": schema}}
        found["requestBody"] = {"required": route.body_needed, "content": content}
    if route.open_to_all:
        found["security"] = []
    if route.roles is not None:
        found["x-roles"] = [role for role in ROLES if role in route.roles]
    return found


def _responses(route: Route, names: Any, problem: type[BaseModel]) -> dict[str, Any]:
    content: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}}}
    if route.answers is not None:
        content = {"application/json": {"schema": names[(route.answers, "serialization")]}}
    told = {
        str(status): {"description": "What was asked for.", "content": content}
        for status in (route.status, *route.may_also)
    }
    schema = names[(problem, "serialization")]
    refused = {"application/problem+json": {"schema": schema}}
    return told | {"default": {"description": "A refusal or a fault.", "content": refused}}


def _parameters(route: Route) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in _PARAMETER.findall(route.path)
    ]
    found += [
        {"name": name, "in": "query", "required": False, "schema": text} for name in route.query
    ]
    if route.keyed:
        key = {"type": "string", "minLength": 1, "maxLength": 255}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    return found


def _operation_id(route: Route) -> str:
    words = re.findall(r"[A-Za-z0-9]+", route.path)
    return "_".join([route.method.lower(), *words])
