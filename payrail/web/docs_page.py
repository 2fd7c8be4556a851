"""The page of a listener's operations, for people. It loads nothing.

Never: names another host.
"""

import html
from collections.abc import Sequence

from aiohttp import web

from payrail.web.openapi import Route

_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


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
