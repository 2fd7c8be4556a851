"""Counts of what was asked and how long it took, and how the actors do, as Prometheus reads them.

Names begin with `payrail_`, counters end in `_total`, times are seconds, sizes are bytes.
Never: grows with what clients send. A route is one of ours, a status a number, and no id of a
payment or message is a label.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from payrail.errors import RequestError
from payrail.runtime.ports import Clock
from payrail.runtime.reports import Reported
from payrail.web.correlation import correlation_id

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: Told of each answer that had an end: its route, status and milliseconds.
Answered = Callable[[str, int, int], None]
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class ActorSeen:
    """One actor at the moment of a scrape; `reported` since its own incarnation began."""

    name: str
    up: bool  # it serves
    epoch: int
    restarts: int
    backlog_bytes: int
    reported: Reported


class Metrics:
    """Sums since this incarnation began. `told` hears of each answer, for the log; `answered` of
    each that was given whole, for the actor's report: a stream is open for as long as it is read.
    """

    def __init__(
        self,
        clock: Clock,
        told: Callable[[str, Mapping[str, Any]], None] | None = None,
        answered: Answered | None = None,
    ) -> None:
        self._clock, self._told, self._answered = clock, told, answered
        self._answers: dict[tuple[str, str, int], int] = {}
        self._latency_ms: dict[tuple[str, str], list[int]] = {}  # count, sum

    def counted(self, method: str, path: str, handler: Handler) -> Handler:
        """The handler, with its answers counted under the route as it is written down."""
        sums = self._latency_ms.setdefault((method, path), [0, 0])

        async def count(request: web.Request) -> web.StreamResponse:
            began_ms = self._clock.monotonic_ms()
            status, is_whole = 500, True
            try:
                answer = await handler(request)
                status, is_whole = answer.status, isinstance(answer, web.Response)
                return answer
            except RequestError as refusal:
                status = refusal.status
                raise
            except asyncio.CancelledError:
                is_whole = False
                raise
            finally:
                place = method, path, status
                latency_ms = self._clock.monotonic_ms() - began_ms
                self._answers[place] = self._answers.get(place, 0) + 1
                sums[0] += 1
                sums[1] += latency_ms
                if self._answered is not None and is_whole:
                    self._answered(path, status, latency_ms)
                if self._told is not None:
                    self._told("http.request", _fields(request, place, latency_ms))

        return count

    def rendered(self, open_questions: int, epoch: int, actors: Sequence[ActorSeen] = ()) -> str:
        """The text of one scrape."""
        lines = ["# TYPE payrail_http_requests_total counter"]
        for (method, path, status), count in sorted(self._answers.items()):
            labels = f'method="{method}",route="{path}",status="{status}"'
            lines.append(f"payrail_http_requests_total{{{labels}}} {count}")
        lines.append("# TYPE payrail_http_request_duration_seconds summary")
        for (method, path), (count, sum_ms) in sorted(self._latency_ms.items()):
            labels = f'method="{method}",route="{path}"'
            lines.append(f"payrail_http_request_duration_seconds_count{{{labels}}} {count}")
            seconds = _seconds(sum_ms)
            lines.append(f"payrail_http_request_duration_seconds_sum{{{labels}}} {seconds}")
        lines.append("# TYPE payrail_open_questions gauge")
        lines.append(f"payrail_open_questions {open_questions}")
        lines.append("# TYPE payrail_epoch gauge")
        lines.append(f"payrail_epoch {epoch}")
        lines.extend(actor_lines(actors))
        return "\n".join(lines) + "\n"


def _fields(
    request: web.Request, place: tuple[str, str, int], latency_ms: int
) -> dict[str, object]:
    """What the log says of one answer: what was asked, the route as written down, and whose it was.
    The path stands there as it came; the log masks a card number in it."""
    method, route, status = place
    return {
        "method": method,
        "path": request.path,
        "route": route,
        "id": request.match_info.get("id"),
        "status": status,
        "latency_ms": latency_ms,
        "correlation_id": correlation_id(request),
    }


def actor_lines(actors: Sequence[ActorSeen]) -> Iterable[str]:
    """The families of the actors. Counters begin again with an incarnation, as Prometheus expects
    of a process; `epoch` and `restarts` tell which one it is."""
    for name, kind, about, value in _FAMILIES:
        samples = [(actor.name, text) for actor in actors if (text := value(actor)) is not None]
        if samples and not name.endswith("_sum"):  # The two of a summary are one family.
            yield f"# HELP {name.removesuffix('_count')} {about}"
            yield f"# TYPE {name.removesuffix('_count')} {kind}"
        for actor_name, text in samples:
            yield f'{name}{{actor="{actor_name}"}} {text}'


_FAMILIES: Sequence[tuple[str, str, str, Callable[[ActorSeen], object]]] = (
    ("payrail_actor_up", "gauge", "1 when the actor serves", lambda a: int(a.up)),
    ("payrail_actor_epoch", "gauge", "Which incarnation it is in", lambda a: a.epoch),
    (
        "payrail_actor_restarts_total",
        "counter",
        "Restarts by its supervisor",
        lambda a: a.restarts,
    ),
    (
        "payrail_mailbox_backlog_bytes",
        "gauge",
        "What lies unread in its mailbox",
        lambda a: a.backlog_bytes,
    ),
    (
        "payrail_messages_total",
        "counter",
        "Messages taken, or answers given",
        lambda a: a.reported.messages,
    ),
    (
        "payrail_handle_seconds_count",
        "summary",
        "From a message's sending until its step was durable and told",
        lambda a: a.reported.messages,
    ),
    ("payrail_handle_seconds_sum", "", "", lambda a: _seconds(a.reported.waited_ms)),
    ("payrail_retries_total", "counter", "Tries after the first", lambda a: a.reported.retries),
    (
        "payrail_errors_total",
        "counter",
        "Messages or answers that failed; a decline is none",
        lambda a: a.reported.errors,
    ),
    (
        "payrail_webhook_lag_seconds",
        "gauge",
        "Age of the oldest webhook that waits",
        lambda a: None if a.reported.lag_ms is None else _seconds(a.reported.lag_ms),
    ),
)


def _seconds(ms: int) -> str:
    return f"{ms // 1000}.{ms % 1000:03d}"
