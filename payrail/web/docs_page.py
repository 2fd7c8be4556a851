"""The page of a listener's operations, for people: out of the same document that programs read.

It stands alone: under its policy it can load nothing, and it names no other host.
"""

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiohttp import web

from payrail.domain.event_types import TYPES, fields_of, meaning_of
from payrail.domain.problem_codes import CODES
from payrail.domain.state_svg import style, svg
from payrail.domain.states import MOVES
from payrail.web.docs_style import CSS
from payrail.web.metrics import Handler
from payrail.web.openapi import Route, document_fields
from payrail.web.problems import Problem

_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_SEQUENCES = (
    "<code>seq</code> counts all events of the house without a gap. <code>object_seq</code> counts "
    "those of one object from 1, so that whoever gets them out of order, or twice, can tell: keep "
    "the greatest you have seen of each object and drop what is not above it. Ask with "
    "<code>GET /events?after=&lt;seq&gt;</code> for what you missed, with <code>type=</code> for "
    "one type or a family such as <code>payment.*</code>."
)
#: Longer lists of allowed words are cut: the document has all of them.
_WORDS_MAX = 12


def page(title: str, version: str, routes: Sequence[Route]) -> str:
    """The page as HTML."""
    told = document_fields(title, version, routes, Problem)
    groups = _grouped(told)
    parts = [
        f"<header><h1>{_text(title)}</h1><p>{_marked(told['info']['description'])}</p>"
        '<p>For programs: <a href="/openapi.json">/openapi.json</a>. '
        f"{_marked(told['components']['securitySchemes']['key']['description'])}</p></header>",
        *(_group(name, found, told) for name, found in groups.items()),
        f'<section id="states"><h2>States</h2>{"".join(_states())}</section>',
        f'<section id="event-types"><h2>Event types</h2><p>{_SEQUENCES}</p>{"".join(_events())}'
        "</section>",
        f'<section id="codes"><h2>Problem codes</h2>{_codes()}</section>',
    ]
    links = [*(f'<a href="#{_id(name)}">{_text(name)}</a>' for name in groups)]
    links += ['<a href="#states">States</a>', '<a href="#event-types">Event types</a>']
    links += ['<a href="#codes">Problem codes</a>']
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{_text(title)} API</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<style>{CSS}{style()}</style></head>\n"
        f"<body><nav>{''.join(links)}</nav>\n<main>{chr(10).join(parts)}</main></body></html>\n"
    )


def page_handler(title: str, version: str, routes: Sequence[Route]) -> Handler:
    """Answers with the page, which is made when somebody asks for the first time."""
    made: list[str] = []

    async def answer(_request: web.Request) -> web.Response:
        if not made:
            made.append(page(title, version, routes))
        return page_answer(made[0])

    return answer


def page_answer(text: str) -> web.Response:
    """A page, with a policy under which it can load nothing."""
    headers = {"Content-Security-Policy": _PAGE_POLICY, "X-Content-Type-Options": "nosniff"}
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


def _grouped(told: Mapping[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    """Method, path and operation, by tag."""
    found: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            found.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    return found


def _group(name: str, found: list[tuple[str, str, dict[str, Any]]], told: dict[str, Any]) -> str:
    operations = "".join(_operation(*one, told) for one in found)
    return f'<section id="{_id(name)}"><h2>{_text(name)}</h2>{operations}</section>'


def _operation(method: str, path: str, operation: dict[str, Any], told: dict[str, Any]) -> str:
    inside = [
        _roles(operation),
        _parameters(operation),
        *_body("Body", operation.get("requestBody"), told),
        *_answers(operation, told),
    ]
    return (
        f'<details id="{operation["operationId"]}"><summary><b class="{method}">{method}</b>'
        f"<code>{_text(path)}</code><span>{_text(operation['summary'])}</span></summary>"
        f"<div>{''.join(inside)}</div></details>"
    )


def _roles(operation: dict[str, Any]) -> str:
    if operation.get("security") == []:
        return "<p>Needs no key.</p>"
    roles = operation.get("x-roles")
    return f"<p>For {_text(', '.join(roles))}.</p>" if roles else ""


def _parameters(operation: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{_text(one['name'])}</code></td><td>{_text(one['in'])}"
        f"{', needed' if one['required'] else ''}</td><td>{_shape(one['schema'])}</td>"
        f"<td>{_marked(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", ())
    ]
    head = "<tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th></tr>"
    return f"<table>{head}{''.join(rows)}</table>" if rows else ""


def _body(title: str, body: dict[str, Any] | None, told: dict[str, Any]) -> Iterator[str]:
    content = (body or {}).get("content", {}).get("application/json")
    if content is None:
        return
    yield f"<h4>{_text(title)}</h4>{_fields(content['schema'], told)}"
    shown = json.dumps(content["example"], indent=2, ensure_ascii=False)
    yield f"<pre>{_text(shown)}</pre>"


def _answers(operation: dict[str, Any], told: dict[str, Any]) -> Iterator[str]:
    refused, shown = [], []
    for status, answer in operation["responses"].items():
        if "application/problem+json" in answer["content"]:
            names = answer["content"]["application/problem+json"]["examples"]
            codes = ", ".join(f'<a href="#code-{name}">{name}</a>' for name in names)
            refused.append(f"<tr><td>{status}</td><td>{codes}</td></tr>")
        elif status.startswith("2"):
            title = f"{status} {answer['description']}"
            is_new = answer["content"] not in shown
            shown.append(answer["content"])
            yield from _body(title, answer, told) if is_new else [f"<h4>{_text(title)}</h4>"]
    yield f'<h4>Refusals</h4><table class="r">{"".join(refused)}</table>'


def _fields(schema: dict[str, Any], told: dict[str, Any]) -> str:
    """The fields of an object, one row each."""
    found = told["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    needed = found.get("required", ())
    rows = [
        f"<tr><td><code>{_text(name)}</code>{'' if name in needed else ' <i>optional</i>'}</td>"
        f"<td>{_shape(one)}</td><td>{_marked(one.get('description', ''))}</td></tr>"
        for name, one in found.get("properties", {}).items()
    ]
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _shape(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return _text(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        words = [f"<code>{_text(str(one))}</code>" for one in schema["enum"]]
        more = f" … {len(words)} in all" if len(words) > _WORDS_MAX else ""
        return " ".join(words[:_WORDS_MAX]) + more
    if "const" in schema:
        return f"<code>{_text(str(schema['const']))}</code>"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(_shape(one) for one in schema[key]))
    if schema.get("type") == "array":
        return f"list of {_shape(schema.get('items', {}))}"
    return _text(f"{schema.get('type', 'anything')}{_bounds(schema)}")


def _bounds(schema: Mapping[str, Any]) -> str:
    told = [str(schema["format"])] if "format" in schema else []
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        told.append(f"{least:,}–{most:,}")
    if "maxLength" in schema:
        told.append(f"at most {schema['maxLength']} characters")
    return f", {', '.join(told)}" if told else ""


def _states() -> Iterator[str]:
    for about in MOVES:
        yield f"<figure><figcaption>{about.capitalize()}</figcaption>{svg(about)}</figure>"


def _events() -> Iterator[str]:
    for name in TYPES:
        rows = "".join(
            f"<tr><td><code>{_text(field)}</code></td><td>{_text(kind)}"
            f"{', may be missing' if may_miss else ''}</td></tr>"
            for field, kind, may_miss in fields_of(name)
        )
        told = _marked(meaning_of(name))
        yield (
            f"<details><summary><code>{name}</code><span>{told}</span></summary>"
            f"<div><p>What its ledger entry says in <code>data</code>:</p>"
            f"<table>{rows}</table></div></details>"
        )


def _codes() -> str:
    rows = "".join(
        f'<tr id="code-{name}"><td>{code.status}</td><td><code>{name}</code>'
        f"{' <i>retryable</i>' if code.retryable else ''}</td><td>{_marked(code.meaning)}</td>"
        f"<td>{_marked(code.remedy)}</td></tr>"
        for name, code in sorted(CODES.items(), key=lambda one: one[1].status)
    )
    head = "<tr><th>Status</th><th>Code</th><th>Meaning</th><th>What to do</th></tr>"
    return f"<table>{head}{rows}</table>"


def _id(name: str) -> str:
    return f"g-{name.lower().replace(' ', '-')}"


def _text(text: str) -> str:
    """Escaped; and the mark of an address so, too, that whoever looks for one finds none."""
    return html.escape(text).replace("://", ":&#47;/")


def _marked(text: str) -> str:
    """Words between backquotes as code."""
    parts = _text(text).split("`")
    return "".join(
        f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts)
    )
