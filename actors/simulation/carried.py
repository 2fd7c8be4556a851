"""What a poisoned message carried: the correlation ids of the requests that it came of."""

import re
from collections.abc import Iterable
from dataclasses import replace

from actors.simulation.evidence import POISON, Fired
from payrail.runtime.deadletters import book_path
from payrail.runtime.simdisk import SimDisk
from payrail.storage.lines import complete_lines

_ABOUT = re.compile(r'"correlation_id\\*":\\*"([A-Za-z0-9_-]+)')


def poisoned_requests(fired: Iterable[Fired], disk: SimDisk) -> list[Fired]:
    """The same poison by the correlation ids of the requests that carried it, as clients know
    them."""
    found = []
    for one in fired:
        path = book_path(one.actor)
        if one.kind == POISON and path in disk.names:
            lines, _ = complete_lines(bytes(disk.names[path].content))
            text = next((line for line in lines if one.about.encode() in line), b"")
            found += [replace(one, about=about) for about in _ABOUT.findall(text.decode())]
    return found
