"""Webhooks out, the rules: which URLs may be called, what counts as received, when to try again.

    parse_url ──▶ Target ──▶ AllowList.permits(target, address)   at registration, and again for
                                                                  each address connected to
An address is public when no registry of special ones lists it, in whatever way it is spelled.
Outside the allow list only https to public addresses is called; inside it http is good too.
Never: resolves a name. Whoever does, asks here about each address that came back.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: A turn's records of endpoints, each with its URL and filters, stand in one line of a journal.
URL_CHARACTERS_MAX = 1_024
HOST_CHARACTERS_MAX = 253
ALLOWED_MAX = 64
PORTS = {"http": 80, "https": 443}
#: Below this only the port of https is called: what listens there elsewhere is no shop.
_PORT_MIN = 1_024

# An authority of so few characters is read alike by every parser: no userinfo, no escapes.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>(?:/[!-~]*)?(?:\?[!-~]*)?)",
    re.ASCII | re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
#: What a resolver may take for a number: decimal, octal (as decimal digits) or hexadecimal.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)

# Source: IANA IPv4 Special-Purpose Address Registry, with multicast and the reserved class E; and
# 168.63.129.16, where a machine in Azure asks about itself although the address is an ordinary one.
_SPECIAL_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Source: IANA IPv6 Special-Purpose Address Registry: of global unicast, what is special in it
# (Teredo and other protocols, documentation, AS112, 6to4, which wraps any IPv4 address).
_GLOBAL_6 = IPv6Network("2000::/3")
_SPECIAL_6 = tuple(
    IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "2002::/16", "3fff::/20")
)


class UrlRefused(ValueError):
    """A URL that is not called; the text says what to change, never what was given."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads."""

    scheme: str
    host: str  # lower case, without brackets
    port: int
    address: Address | None  # when the host is one


def parse_url(text: str) -> Target:
    """The target of a webhook's URL. Raises UrlRefused."""
    if len(text) > URL_CHARACTERS_MAX:
        raise UrlRefused(f"must have at most {URL_CHARACTERS_MAX} characters")
    found = _URL.fullmatch(text)
    if found is None:
        raise UrlRefused(
            "must be a URL such as https://shop.example/hooks: https, a host name, printable"
            " ASCII, no user name, no fragment"
        )
    if "#" in found["rest"]:
        raise UrlRefused("must have no fragment, the part from #")
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"] or PORTS[scheme])
    if not 1 <= port <= 65_535:
        raise UrlRefused("must name a port from 1 to 65535")
    address = _literal(host)
    if address is None:
        _must_be_name(host)
    return Target(scheme, host.strip("[]"), port, address)


def _literal(host: str) -> Address | None:
    """The address that a host is, None for a name. Raises UrlRefused for an odd spelling."""
    if host.startswith("["):
        try:
            return IPv6Address(host.strip("[]"))
        except ValueError:
            raise UrlRefused("must hold a whole IPv6 address between the brackets") from None
    if not _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return None
    try:
        return IPv4Address(host)
    except ValueError:
        raise UrlRefused("must spell an address as four decimal numbers") from None


def _must_be_name(host: str) -> None:
    labels = host.split(".")
    if len(host) > HOST_CHARACTERS_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlRefused("must have a host name of letters, digits and dashes")


def is_public(address: Address) -> bool:
    """Whether an address is an ordinary one of the internet."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_4)
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if address.scope_id is not None or address not in _GLOBAL_6:
        return False
    return not any(address in network for network in _SPECIAL_6)


@dataclass(frozen=True, slots=True)
class _Place:
    """One entry of the allow list: a name or a network, at one port or at all."""

    name: str | None
    network: Network | None
    port: int | None


class AllowList:
    """PAYRAIL_WEBHOOK_ALLOW: hosts, addresses and networks that tests may call, each perhaps with
    a port: `sink`, `sink:9000`, `127.0.0.1:9000`, `[::1]:9000`, `10.1.0.0/16`."""

    def __init__(self, words: Sequence[str] = ()) -> None:
        """Raises ValueError that names the entry by its number."""
        if len(words) > ALLOWED_MAX:
            raise ValueError(f"at most {ALLOWED_MAX} entries")
        self._places = [_place(word, number) for number, word in enumerate(words, 1)]

    def names(self, target: Target) -> bool:
        """Whether the list has this very host, so that its addresses do not matter."""
        return any(
            place.name == target.host and place.port in (None, target.port)
            for place in self._places
        )

    def permits(self, target: Target, address: Address) -> bool:
        """Whether `target` may be called at this address of it."""
        if self.names(target) or self._lists(address, target.port):
            return True
        if target.scheme != "https" or not is_public(address):
            return False
        return target.port == PORTS["https"] or target.port >= _PORT_MIN

    def _lists(self, address: Address, port: int) -> bool:
        plain = getattr(address, "ipv4_mapped", None) or address
        return any(
            place.network is not None and plain in place.network and place.port in (None, port)
            for place in self._places
        )


def refusal_of(target: Target) -> str:
    """Why no address of a target was permitted, and what to do: the same words for all, so that
    nobody learns what stands inside the house's network."""
    if target.scheme == "http":
        return "must be https; http is for hosts in PAYRAIL_WEBHOOK_ALLOW"
    if target.port != PORTS["https"] and target.port < _PORT_MIN:
        return f"must use port 443 or one from {_PORT_MIN}"
    return (
        "must lead to a public address; for a test, list its host in PAYRAIL_WEBHOOK_ALLOW and"
        " restart"
    )


def _place(word: str, number: int) -> _Place:
    try:
        host, port = _parted(word.lower())
        if _is_numeric(host):
            return _Place(None, ip_network(host.strip("[]")), port)
        _must_be_name(host)
        return _Place(host, None, port)
    except ValueError:
        raise ValueError(f"entry {number} must be a host, host:port, address or network") from None


def _parted(word: str) -> tuple[str, int | None]:
    if word.count(":") > 1 and not word.startswith("["):
        return word, None  # a bare IPv6 address or network
    bracket = word.rfind("]")
    colon = word.rfind(":")
    if colon <= bracket:
        return word, None
    port = int(word[colon + 1 :])
    if not 1 <= port <= 65_535:
        raise ValueError
    return word[:colon], port


def _is_numeric(host: str) -> bool:
    return ":" in host or bool(_NUMBER.fullmatch(host.partition("/")[0].rpartition(".")[2]))


def addresses_of(texts: Sequence[str]) -> list[Address]:
    """Addresses as a resolver spells them; what is none (it cannot be) is left out."""
    found = []
    for text in texts:
        try:
            found.append(ip_address(text))
        except ValueError:
            continue
    return found


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a delivery is tried again. `waits_ms[k]` is the pause after attempt k + 1; the attempt
    after the last pause is the last one."""

    name: str
    waits_ms: tuple[int, ...]
    jitter: bool
    timeout_ms: int  # of one attempt

    @property
    def attempts(self) -> int:
        return len(self.waits_ms) + 1

    def wait_ms(self, attempt: int, seed: str) -> int | None:
        """The pause after `attempt` (from 1) failed; None when it was the last one. Jitter makes
        it up to a fifth longer: the same for the same seed, so that a replay sets the same."""
        if attempt > len(self.waits_ms):
            return None
        wait_ms = self.waits_ms[attempt - 1]
        if not self.jitter:
            return wait_ms
        digest = hashlib.sha256(f"{seed}:{attempt}".encode()).digest()
        return wait_ms + wait_ms * int.from_bytes(digest[:2], "big") // (5 * 65_536)


_S, _M, _H = 1_000, 60_000, 3_600_000
SCHEDULES = {
    # Source: Standard Webhooks, "Deliverability and reliability": ten attempts within 75.6 hours.
    "standard": Schedule(
        "standard",
        (5 * _S, 5 * _M, 30 * _M, 2 * _H, 5 * _H, 10 * _H, 14 * _H, 20 * _H, 24 * _H),
        jitter=True,
        timeout_ms=15_000,
    ),
    "demo": Schedule("demo", (1_000, 2_000, 4_000), jitter=False, timeout_ms=5_000),
}

#: An endpoint may ask for a longer pause, but not for one of days.
RETRY_AFTER_S_MAX = 3_600
#: With these an endpoint says that it has too much to do, and when to come again.
THROTTLED = frozenset({429, 503})
GONE = 410


def is_received(status: int | None) -> bool:
    """Only 2xx says that a delivery arrived; a redirect does not."""
    return status is not None and 200 <= status < 300


def retry_after_s(header: str | None, now_ms: int) -> int | None:
    """The pause that an answer asks for, within our bounds; None when it asks for none."""
    if header is None:
        return None
    text = header.strip()
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        return min(int(text), RETRY_AFTER_S_MAX)
    try:
        asked_ms = int(parsedate_to_datetime(text).timestamp() * 1_000)
    except (ValueError, OverflowError):
        return None
    return min(max(0, (asked_ms - now_ms + 999) // 1_000), RETRY_AFTER_S_MAX)


#: How many endpoints a merchant may have, and how many filters one of them.
ENDPOINTS_MAX, FILTERS_MAX, FILTER_CHARACTERS_MAX = 16, 12, 50
FILTER_PATTERN = r"^(?:\*|[a-z_]{1,40}\.(?:\*|[a-z_]{1,60}))$"
_FILTER = re.compile(FILTER_PATTERN, re.ASCII)


def is_filter(text: str) -> bool:
    """Whether this can stand in an endpoint's `events`: a type, `payment.*`, or `*`."""
    return len(text) <= FILTER_CHARACTERS_MAX and bool(_FILTER.fullmatch(text))


def wants(filters: Sequence[str], event_type: str) -> bool:
    """Whether an endpoint with these filters gets events of this type; no filter gets all."""
    if not filters or "*" in filters or event_type in filters:
        return True
    return f"{event_type.partition('.')[0]}.*" in filters
