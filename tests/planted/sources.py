"""Sources of the product for rules that read them, with the words of a planted bug where one is."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.planted.edits import HERE, Change, Edit

_CHANGED: dict[Path, str] = {}
_READ: set[Path] = set()


@contextmanager
def changed(changes: Iterable[Change]) -> Iterator[None]:
    """While the block lasts, readers of sources see those of the bug."""
    _CHANGED.update(change.text() for change in changes if isinstance(change, Edit))
    try:
        yield
    finally:
        _CHANGED.clear()


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """(path, text) of every module below these folders."""
    for folder in folders:
        for path in sorted((HERE / folder).rglob("*.py")):
            name = path.relative_to(HERE)
            _READ.add(name)
            yield str(name), _CHANGED.get(name) or path.read_text()


def was_read() -> bool:
    """Whether somebody read a source that has a bug in it: it need not run to be seen."""
    return not _READ.isdisjoint(_CHANGED)
