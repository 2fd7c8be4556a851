"""Who may talk to the console, and what every answer tells browsers to refuse.

The console has no sign-in yet, and listens on this machine alone. A page of some other site in the
same browser is then the stranger to keep out: a name of its own that points here (DNS rebinding) is
answered 421, and its streams are refused by where the browser says they come from.
"""

from ipaddress import ip_address

from aiohttp import web

#: Nothing inline, nothing from elsewhere, in no frame of anybody.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
        " object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def sign(_request: web.Request, response: web.StreamResponse) -> None:
    """Runs for every answer, streams included, when its head is about to be written."""
    for name, text in HEADERS.items():
        response.headers[name] = text
    response.headers.setdefault("Cache-Control", "no-store")


def is_ours(host: str | None, configured: str) -> bool:
    """Whether a Host header names this console: an address, `localhost`, or the host it is set to.
    No other site can get a browser to send one of these."""
    if not host:
        return False
    name = _without_port(host).lower()
    return name in ("localhost", configured.lower()) or _is_address(name)


def from_elsewhere(request: web.Request) -> bool:
    """Whether a browser says that another site asks; what is no browser says nothing."""
    return request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
