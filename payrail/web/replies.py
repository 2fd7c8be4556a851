"""An actor's reply as an HTTP answer. Never: decodes it."""

from aiohttp import web

from payrail.domain.messages import ReplyLine
from payrail.web.problems import CONTENT_TYPE


def passed_on(reply: ReplyLine) -> web.Response:
    """The reply as an HTTP answer: status, headers and bytes as they came."""
    return web.Response(
        body=bytes(reply.body),
        status=reply.status,
        headers=reply.headers,
        content_type="application/json" if reply.status < 400 else CONTENT_TYPE,
    )
