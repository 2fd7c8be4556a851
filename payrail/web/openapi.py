"""The OpenAPI 3.1 document of a listener, out of its own table of routes.

Everything that can follow from a route does: parameters, refusals, headers, examples, links, tags;
so a new row in a table is documented, fuzzed and shown without another line.
Never: names another host.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web
from msgspec import Struct, json
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from payrail.domain.access import ROLES
from payrail.web import answers, parameters
from payrail.web.examples import example
from payrail.web.links import links
from payrail.web.metrics import Handler

_REF = "#/components/schemas/{model}"
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_ABOUT = (
    "Amounts are whole minor units. Times are ISO 8601 in UTC. A body is strict JSON: no field"
    " that is not listed, no key twice, no conversions. A route that needs a key refuses query"
    " parameters that it does not know, or gets twice, with 422; one that is open to all ignores"
    " them. Another merchant's id is answered as one that never was."
)
_KEY = (
    "`Authorization: Bearer <key>`. Only the service key of the house may add `X-Merchant-Id`, "
    "`X-Role` and `X-User` to speak for somebody."
)


_INTERNAL = (
    "`Authorization: Bearer <PAYRAIL_INTERNAL_SECRET>`, which the house's own people and parts know"
    " (data/secrets/internal)."
)


class Route(Struct, frozen=True):
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
    codes: tuple[str, ...] = ()  # of problems that are its own, beside those that follow
    media: str = "text/plain"  # of an answer that is not JSON, or that may be had instead of it
    pages: bool = False  # answers a browser in HTML, refusals too
    needs: tuple[str, ...] = ()  # parameters of the query that must be there
    schemas: Mapping[str, parameters.Schema] = {}  # of parameters
    heads: Mapping[str, parameters.Schema] = {}  # headers it needs
    may_head: Mapping[str, parameters.Schema] = {}  # headers it takes


def document(
    title: str, version: str, routes: Sequence[Route], problem: type[BaseModel], about: str = ""
) -> bytes:
    """The OpenAPI 3.1 document as JSON. `about`: what else there is to say of this listener."""
    fields = document_fields(title, version, routes, problem)
    if about:
        fields["info"]["description"] += f" {about}"
    return json.encode(fields)


def document_fields(
    title: str, version: str, routes: Sequence[Route], problem: type[BaseModel]
) -> dict[str, Any]:
    """The same as plain values, for the page."""
    models: list[tuple[type[BaseModel], Any]] = [(problem, "serialization")]
    models += [(route.takes, "validation") for route in routes if route.takes]
    models += [(route.answers, "serialization") for route in routes if route.answers]
    names, definitions = models_json_schema(list(dict.fromkeys(models)), ref_template=_REF)
    schemas: dict[str, Any] = definitions.get("$defs", {})
    schemas["Problem"] = answers.problem_schema(schemas["Problem"])
    told = _Telling(routes, names, schemas)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = told.operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": _ABOUT},
        "tags": [{"name": name} for name in dict.fromkeys(tag_of(route.path) for route in routes)],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": answers.HEADERS,
            "examples": answers.problem_examples(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": _KEY},
                "internal": {"type": "http", "scheme": "bearer", "description": _INTERNAL},
            },
        },
    }  # fmt: skip


def document_handler(
    title: str, version: str, routes: Sequence[Route], problem: type[BaseModel], *, about: str = ""
) -> Handler:
    """Answers with the document, which is made when somebody asks for the first time: a restart
    must not wait for it."""
    made: list[bytes] = []

    async def answer(_request: web.Request) -> web.Response:
        if not made:
            made.append(document(title, version, routes, problem, about))
        return web.Response(body=made[0], content_type="application/json")

    return answer


def tag_of(path: str) -> str:
    """`Payment intents` of `/payment-intents/{id}/capture`."""
    return path.split("/")[1].removesuffix(".json").replace("-", " ").capitalize()


def operation_id(method: str, path: str) -> str:
    """The lasting name of an operation, for clients that are generated."""
    return "_".join([method.lower(), *re.findall(r"[A-Za-z0-9]+", path)])


class _Telling:
    """Operations, over the schemas of all of them."""

    def __init__(self, routes: Sequence[Route], names: Any, schemas: dict[str, Any]) -> None:
        self._routes, self._names, self._schemas = routes, names, schemas
        for route in routes:
            if route.takes is not None:
                _plain(names[(route.takes, "validation")], schemas, set())

    def operation(self, route: Route) -> dict[str, Any]:
        writes = route.method in _WRITES
        found: dict[str, Any] = {
            "operationId": operation_id(route.method, route.path),
            "summary": route.summary,
            "tags": [tag_of(route.path)],
            "responses": self._given(route)
            | answers.refusals(
                is_open=route.open_to_all, writes=writes, keyed=route.keyed, own=_own(route)
            ),
        }
        if route.pages:
            for answer in found["responses"].values():
                answer["content"]["text/html"] = {"schema": {"type": "string"}}
        if told := parameters.parameters(route, self._row(route)):
            found["parameters"] = told
        if route.takes is not None:
            content = {"application/json": self._content(self._schema_taken(route.takes))}
            found["requestBody"] = {"required": route.body_needed, "content": content}
        if route.open_to_all:
            found["security"] = []
        elif route.roles is None:
            found["security"] = [{"internal": []}]
        if route.roles is not None:
            found["x-roles"] = [role for role in ROLES if role in route.roles]
        return found

    def _given(self, route: Route) -> dict[str, Any]:
        content: dict[str, Any] = {route.media: {"schema": {"type": "string"}}}
        if route.answers is not None:
            content = {"application/json": self._content(self._schema_answered(route.answers))}
            if route.media != "text/plain":  # for who asks for it instead
                content[route.media] = {"schema": {"type": "string"}}
        statuses = (route.status, *route.may_also)
        # A 200 beside a 201 is a dry run: it has made nothing that could be gone on with.
        led = dict.fromkeys((route.status, 202), links(route, self._routes, operation_id))
        return {
            str(status): answers.given(status, content, led.get(status, {}), keyed=route.keyed)
            for status in statuses
        }

    def _content(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {"schema": schema, "example": example(schema, self._schemas)}

    def _schema_taken(self, model: type[BaseModel]) -> dict[str, Any]:
        found: dict[str, Any] = self._names[(model, "validation")]
        return found

    def _schema_answered(self, model: type[BaseModel]) -> dict[str, Any]:
        found: dict[str, Any] = self._names[(model, "serialization")]
        return found

    def _row(self, route: Route) -> dict[str, Any]:
        """The properties of one row of the list that a route answers; none of what is no list."""
        if route.answers is None or not route.query:
            return {}
        page = self._resolved(self._schema_answered(route.answers))
        item = page.get("properties", {}).get("data", {}).get("items", {})
        found: dict[str, Any] = self._resolved(item).get("properties", {})
        return found

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in schema:
            return schema
        found: dict[str, Any] = self._schemas[schema["$ref"].rpartition("/")[2]]
        return found


def _plain(schema: Any, schemas: dict[str, Any], seen: set[str]) -> None:
    """Say of every free text in a body what strict JSON refuses: control characters."""
    if isinstance(schema, list):
        for one in schema:
            _plain(one, schemas, seen)
    if not isinstance(schema, dict):
        return
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name and name not in seen:
        seen.add(name)
        _plain(schemas[name], schemas, seen)
    if schema.get("type") == "string" and not schema.keys() & {"pattern", "format", "enum"}:
        schema["pattern"] = parameters.PLAIN_TEXT
    elif schema.get("type") == "string" and not schema.get("pattern", "^").startswith("^"):
        schema["allOf"] = [{"pattern": parameters.PLAIN_TEXT}]
    if schema.get("additionalProperties", False) is not False:
        named = schema.setdefault("propertyNames", {})
        if "enum" not in named:
            named.setdefault("pattern", parameters.PLAIN_TEXT)
    for key in ("properties", "$defs"):
        for inner in schema.get(key, {}).values():
            _plain(inner, schemas, seen)
    for key in ("items", "anyOf", "oneOf", "allOf", "additionalProperties"):
        _plain(schema.get(key), schemas, seen)


def _own(route: Route) -> tuple[str, ...]:
    """Codes that are the route's own. Requests are counted by key where keys have roles; what a
    path names may not be there."""
    found = route.codes if route.roles is None else (*route.codes, "rate-limited")
    return (*found, "not-found") if "{" in route.path else found
