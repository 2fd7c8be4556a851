"""Templates and the words on pages. Whatever came from outside is escaped by the templates.

Reads: templates/ and static/ of this package, once. Never: marks text of others as safe.
"""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from actors.console.money import amount_text
from actors.console.story import picture
from payrail.domain.payment_view import PaymentState

PACKAGE = "actors.console"
STATES = tuple(state.value for state in PaymentState)
#: The way of a payment that ends well, then the ways out of it.
MAIN_LINE = ("created", "processing", "authorized", "captured", "settled")
BRANCHES = {
    "processing": ("requires_action", "unknown", "declined"),
    "authorized": ("reversed",),
    "captured": ("chargeback",),
}
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
#: Brands that are not written like a name.
_BRANDS = {"jcb": "JCB", "unionpay": "UnionPay"}
_VERSION_DIGITS = 12


class Asset:
    """A file of static/ with its type and the version that its address carries."""

    def __init__(self, name: str, data: bytes) -> None:
        self.data = data
        self.content_type = _TYPES[name.rpartition(".")[2]]
        self.version = hashlib.sha256(data).hexdigest()[:_VERSION_DIGITS]
        self.address = f"/static/{name}?v={self.version}"


class Renderer:
    """Makes pages and regions of them."""

    def __init__(self) -> None:
        static = files(PACKAGE).joinpath("static")
        self.assets = {file.name: Asset(file.name, file.read_bytes()) for file in static.iterdir()}
        self._templates = Environment(
            loader=PackageLoader(PACKAGE),
            autoescape=True,
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "amount": amount_text,
            "words": words,
            "day": day,
            "what": what,
            "brand": brand,
            "picture": picture,
        }
        self._templates.filters |= {"clock": clock, "bytes": bytes_text, "grouped": grouped}
        self._templates.globals |= {
            "asset": lambda name: self.assets[name].address,
            "main_line": MAIN_LINE,
            "branches": BRANCHES,
            "states": STATES,
        }

    def page(self, template: str, context: Mapping[str, Any]) -> str:
        return self._templates.get_template(template).render(context)

    def region(self, name: str, context: Mapping[str, Any]) -> str:
        """A part of a page that changes while people look; `name` is also its id there."""
        return self._templates.get_template(f"regions/{name}.html").render(context)


def words(name: str) -> str:
    """`requires action` of `requires_action`."""
    return name.replace("_", " ")


def brand(name: str) -> str:
    """`Visa`, `JCB`: a card's brand as people write it."""
    return _BRANDS.get(name, name.capitalize())


def what(event_type: str) -> str:
    """`capture requested` of `payment.capture_requested`; `fee charged` of `fee.charged`."""
    return words(event_type.removeprefix("payment.")).replace(".", " ")


def day(at: str) -> str:
    """`22 Nov` of an ISO time; what cannot be one is shown as it is."""
    try:
        return f"{int(at[8:10])} {_MONTHS[int(at[5:7]) - 1]}"
    except (ValueError, IndexError):
        return at


def clock(at: str) -> str:
    """`12:00:03` of an ISO time."""
    return at[11:19]


def grouped(number: int) -> str:
    """`12,345`."""
    return f"{number:,}"


def bytes_text(size_bytes: int) -> str:
    """`0`, `812 B`, `3.4 KiB`: what lies unread in a mailbox."""
    if size_bytes < 1024:
        return f"{size_bytes} B" if size_bytes else "0"
    tenths = size_bytes * 10 // 1024
    unit = "KiB"
    if tenths >= 10_240:
        tenths, unit = tenths // 1024, "MiB"
    return f"{tenths // 10:,}.{tenths % 10} {unit}"
