"""Counts of what was asked and how long it took, as Prometheus reads them.

Never: grows with what clients send. A route is one of ours, a status a number.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from payrail.errors import RequestError
from payrail.runtime.ports import Clock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Sums since this incarnation began."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
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
                self._answers[place] = self._answers.get(place, 0) + 1
                sums[0] += 1
                sums[1] += self._clock.monotonic_ms() - began_ms

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
