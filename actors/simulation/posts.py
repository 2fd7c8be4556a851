"""How providers' notices reach the front door of the simulated house, and webhooks' errands run."""

from collections.abc import Mapping
from typing import Any, Protocol

from actors.provider.posting import outcome
from payrail.runtime.admission import DoneItem
from payrail.runtime.errands import SimErrands
from payrail.storage.lines import encode


class Doors(Protocol):
    """The front door of a simulated house, as providers know it."""

    doors_closed: bool

    @property
    def drivers(self) -> Mapping[str, Any]:
        """Who lives, by name."""

    def post_notice(self, sent: Any) -> str:
        """Check a notice and ask the gateway; result: the question's name."""

    def notice_status(self, re: str) -> int | None:
        """The gateway's answer, when there is one."""


class SimPosts:
    """The errand `notice` of a provider, and the front door that takes it: signed and checked as
    over HTTP, asked of the gateway, taken when the gateway has answered. A gateway that was reborn
    is asked again. Other errands go to `others`."""

    def __init__(self, house: Doors, others: SimErrands) -> None:
        self._house, self._others = house, others
        self._waiting: dict[str, Any] = {}
        self._asked: dict[str, tuple[str, Any]] = {}  # errand -> question, and the gateway asked

    def start(self, errand: Any) -> None:
        if errand.work == "notice":
            self._waiting.setdefault(errand.id, errand)
        else:
            self._others.start(errand)

    def finished(self, at_most: int) -> list[DoneItem]:
        done = [self._look(errand) for errand in list(self._waiting.values())[:at_most]]
        return [*(item for item in done if item is not None), *self._others.finished(at_most)]

    def _look(self, errand: Any) -> DoneItem | None:
        status = 503 if self._house.doors_closed else self._answer(errand)
        if status is None:
            return None
        del self._waiting[errand.id]
        kind, body = outcome(errand.body, status)
        return DoneItem(errand.id, kind, encode(body), errand.correlation_id)

    def _answer(self, errand: Any) -> int | None:
        gateway = self._house.drivers.get("gateway")
        question, asked = self._asked.get(errand.id, ("", None))
        if question and (status := self._house.notice_status(question)):
            return status
        if gateway is not None and asked is not gateway:
            self._asked[errand.id] = self._house.post_notice(errand.body), gateway
        return None
