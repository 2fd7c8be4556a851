"""Counts of what was asked and how long it took, as Prometheus reads them.

Never: grows with what clients send. A route is one of ours, a status a number.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from payrail.errors import RequestError
from payrail.runtime.ports import Clock
from payrail.web.correlation import correlation_id

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Sums since this incarnation began. `told` hears of each answer, for the log."""

    def __init__(
        self, clock: Clock, told: Callable[[str, Mapping[str, Any]], None] | None = None
    ) -> None:
        self._clock, self._told = clock, told
        self._answers: dict[tuple[str, str, int], int] = {}
        self._latency_ms: dict[tuple[str, str], list[int]] = {}  # count, sum

    def counted(self, method: str, path: str, handler: Handler) -> Handler:
        """The handler, with its answers counted under the route as it is written down."""
        sums = self._latency_ms.setdefault((method, path), [0, 0])

        async def count(request: web.Request) -> web.StreamResponse:
            began_ms = self._clock.monotonic_ms()
            status = 500
            try:
                answer = await handler(request)
                status = answer.status
                return answer
            except RequestError as refusal:
                status = refusal.status
                raise
            finally:
                place = method, path, status
                latency_ms = self._clock.monotonic_ms() - began_ms
                self._answers[place] = self._answers.get(place, 0) + 1
                sums[0] += 1
                sums[1] += latency_ms
                if self._told is not None:
                    self._told("http.request", _fields(request, place, latency_ms))

        return count

    def rendered(self, open_questions: int, epoch: int) -> str:
        """The text of one scrape."""
        lines = ["# TYPE payrail_http_requests_total counter"]
        for (method, path, status), count in sorted(self._answers.items()):
            labels = f'method="{method}",route="{path}",status="{status}"'
            lines.append(f"payrail_http_requests_total{{{labels}}} {count}")
        lines.append("# TYPE payrail_http_request_duration_seconds summary")
        for (method, path), (count, sum_ms) in sorted(self._latency_ms.items()):
            labels = f'method="{method}",route="{path}"'
            lines.append(f"payrail_http_request_duration_seconds_count{{{labels}}} {count}")
            seconds = f"{sum_ms // 1000}.{sum_ms % 1000:03d}"
            lines.append(f"payrail_http_request_duration_seconds_sum{{{labels}}} {seconds}")
        lines.append("# TYPE payrail_open_questions gauge")
        lines.append(f"payrail_open_questions {open_questions}")
        lines.append("# TYPE payrail_epoch gauge")
        lines.append(f"payrail_epoch {epoch}")
        return "\n".join(lines) + "\n"


def _fields(
    request: web.Request, place: tuple[str, str, int], latency_ms: int
) -> dict[str, object]:
    """What the log says of one answer: the route as written down, and whose it was."""
    method, route, status = place
    return {
        "method": method,
        "route": route,
        "id": request.match_info.get("id"),
        "status": status,
        "latency_ms": latency_ms,
        "correlation_id": correlation_id(request),
    }
