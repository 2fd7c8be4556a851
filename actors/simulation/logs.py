"""The logs of simulated processes: the real loggers over memory, so that they can be searched."""

from typing import Any

from payrail.logs import make_logger


class SimLog:
    """One actor's lines, over all its incarnations; a stream for `payrail.logs`."""

    def __init__(self, actor: str) -> None:
        self.lines: list[bytes] = []
        self.log: Any = make_logger(actor, self)

    def write(self, data: bytes, /) -> object:
        self.lines.append(data)
        return len(data)
