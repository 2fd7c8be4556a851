"""Find the lines of a chain where they were written: in mailboxes, their old files, and books."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from payrail.audit.findings import Finding
from payrail.audit.nodes import Trace, Wanted, envelope_node, named_cause
from payrail.audit.reading import Part
from payrail.audit.spools import Channel, open_channels
from payrail.domain.messages import EDGES
from payrail.errors import LineDamaged
from payrail.runtime.ports import Fs
from payrail.storage.lines import hash_of, is_whole

_ID_BEGINS = len(b'{"id":"')


def find_in_mailboxes(fs: Fs, stack: ExitStack) -> Callable[[Trace], None]:
    """Open every mailbox now; the result finds what a trace wants in them later."""
    channels = open_channels(fs)
    for part in [part for channel in channels for part in channel.parts]:
        stack.callback(part.close)

    def find(trace: Trace) -> None:
        search = _Search(trace)
        for channel in channels:
            search.look(channel)
        for ident, wanted in trace.messages.items():
            if ident not in search.found:
                search.miss(ident, wanted, channels)

    return find


class _Search:
    """One pass over the mailboxes."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.found: set[str] = set()
        self._damaged: dict[str, tuple[str, int]] = {}
        self._newest: dict[tuple[str, str, int], int] = {}  # of an edge's epoch in a channel

    def look(self, channel: Channel) -> None:
        trace = self._trace
        for part in channel.parts:
            for number, _, line in part.lines():
                ident = _id_of(line)
                wanted = trace.messages.get(ident)
                if channel.sender in EDGES:
                    epoch, n = _place(ident)
                    key = (channel.sender, channel.receiver, epoch)
                    self._newest[key] = max(n, self._newest.get(key, 0))
                if wanted is not None and ident not in self.found:
                    self._see(ident, wanted, part.path, number, line)
                elif wanted is None and trace.needle.is_in(line):
                    _unexpected(channel, part.path, number, line, trace)

    def _see(self, ident: str, wanted: Wanted, path: str, number: int, line: bytes) -> None:
        if is_whole(line) and (not wanted.hash or hash_of(line) == wanted.hash):
            self.found.add(ident)
            node = self._trace.nodes[ident]
            self._trace.nodes[ident] = replace(node, file=path, line=number)
        else:
            self._damaged[ident] = (path, number)

    def miss(self, ident: str, wanted: Wanted, channels: list[Channel]) -> None:
        """A reply may have been given within a process, an old file thrown away, and the last
        messages may be on their way. Any other that is not there is a broken link."""
        sender, _, rest = ident.partition(">")
        receiver = rest.split(":")[0]
        channel = next((c for c in channels if (c.sender, c.receiver) == (sender, receiver)), None)
        if ident in self._damaged:
            path, number = self._damaged[ident]
            self._broken(path, number, f"{ident} is damaged")
        elif wanted.hash and self._must_be_there(ident, wanted, channel):
            node = self._trace.nodes[ident]
            path = f"mailboxes/{receiver}/{sender}.jsonl"
            self._broken(path, 0, f"{ident} is missing; {node.file}:{node.line} holds it")

    def _must_be_there(self, ident: str, wanted: Wanted, channel: Channel | None) -> bool:
        if channel is not None and not channel.is_complete:
            return False
        if channel is None or channel.sender not in EDGES:
            return 0 < wanted.step <= self._trace.told[wanted.writer]
        # A power cut loses the last lines of an epoch, which an edge does not make durable.
        epoch, n = _place(ident)
        return n < self._newest.get((channel.sender, channel.receiver, epoch), 0)

    def _broken(self, path: str, number: int, what: str) -> None:
        self._trace.broken.append(Finding(path, number, what))


def _place(ident: str) -> tuple[int, int]:
    """(epoch, n) in the id of an edge's line."""
    epoch, _, n = ident.rpartition(":")[2].partition(".")
    return (int(epoch), int(n)) if epoch.isdigit() and n.isdigit() else (0, 0)


def _id_of(line: bytes) -> str:
    return line[_ID_BEGINS : line.find(b'"', _ID_BEGINS)].decode("utf-8", "replace")


def _unexpected(channel: Channel, path: str, number: int, line: bytes, trace: Trace) -> None:
    """A question that nobody has taken yet is a beginning; a message that nobody sent is none."""
    if not is_whole(line) or b'"kind":"reply"' in line[:200]:
        return
    if cause := named_cause(line):
        trace.named.setdefault(cause, (path, number))
    if channel.sender in EDGES:
        node = envelope_node(line, None, path, number)
        trace.nodes[node.id] = replace(node, what=f"{node.what}, not taken yet")
    elif channel.sender in trace.told:
        what = f"no step of {channel.sender} sent this message"
        trace.broken.append(Finding(path, number, what))


def find_in_books(parts: list[Part], trace: Trace) -> None:
    """Find every book line of the trace, and every one that mentions the id beside it."""
    found: set[str] = set()
    for part in parts:
        for number, _, line in part.lines():
            wanted = trace.books.get(_claimed(line))
            if wanted is not None and is_whole(line):
                found.add(wanted.hash)
                node = trace.nodes[wanted.node]
                trace.nodes[wanted.node] = replace(node, line=number)
            elif wanted is not None or trace.needle.is_in(line):
                what = "no step of its writer wrote this line"
                if wanted is not None or not is_whole(line):
                    what = "the line is damaged"
                trace.broken.append(Finding(part.path, number, what))
    for line_hash, wanted in trace.books.items():
        if line_hash not in found and wanted.step <= trace.told[wanted.writer]:
            node = trace.nodes[wanted.node]
            what = f"{node.id} is missing, which step {wanted.step} of {wanted.writer} wrote"
            trace.broken.append(Finding(node.file, 0, what))


def _claimed(line: bytes) -> str:
    try:
        return hash_of(line)
    except LineDamaged:
        return ""
