"""What the gateway is told of people's rule files, and what it keeps of them."""

from msgspec import Struct

from payrail.domain.words.kinds import ERRAND, kind

#: The gateway's view of its rule files, for people and for `GET /rules`.
VIEW = "data/actors/gateway/rules.json"


class WatchRules(Struct):
    """An order: tell of the first file that is not what it was. `known`: SHA-256 by name."""

    known: dict[str, str]


class RulesFound(Struct):
    """A rule file as it stands. `trouble` is why its text cannot even be looked at."""

    file: str  # routing | fees | refunds | …
    sha256: str
    text: str = ""
    trouble: str | None = None


class RuleComplaint(Struct, frozen=True):
    """What is wrong in a file, and where; never what stands there."""

    line: int
    field: str
    message: str


class RulesInForce(Struct, frozen=True):
    """The text by which is decided, since when."""

    sha256: str
    text: str
    since_ms: int  # business time


class RulesRefused(Struct, frozen=True):
    """A file that cannot be used: what was in force before stays."""

    sha256: str
    errors: list[RuleComplaint]
    at_ms: int  # business time


KINDS = (kind("rules.found", ERRAND, RulesFound),)
