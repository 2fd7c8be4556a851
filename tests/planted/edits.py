"""How a bug is planted: a few words of one function of the product, changed while a test runs.

    edit("payrail.runtime.loop:Loop.open", "epoch += 1", "epoch += 0")

The function is compiled again from its own source with those words replaced, and put in the place
of the old one for whoever holds it, by whatever name. The source on the disk stays as it is, and
the product knows nothing of it. An edit whose words are not in the source any more is stale, and
says so. Counts how often the changed function ran: a bug that nobody met says nothing about a test.
"""

import __future__

import ast
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

_ANNOTATIONS = __future__.annotations.compiler_flag
_COUNTER = "__ran_"
HERE = Path(__file__).resolve().parents[2]


class StaleEdit(Exception):
    """The product has changed: the words to replace are not there, or not once."""


class Ran:
    """How often a changed function was called."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@dataclass(frozen=True, slots=True)
class Edit:
    """`old` becomes `new` in the function `where` (module:name or module:Class.name)."""

    where: str
    old: str
    new: str

    @contextmanager
    def planted(self) -> Iterator[Ran]:
        """The function with the bug in it, until the end of the block."""
        function, ran = _resolve(self.where), Ran()
        name = f"{_COUNTER}{id(ran)}"
        before = function.__code__
        if any(text.startswith(_COUNTER) for text in before.co_names):
            raise StaleEdit(f"{self.where} is changed twice; make it one edit")
        function.__globals__[name] = ran
        function.__code__ = _changed(function, self._source(function), name)
        try:
            yield ran
        finally:
            function.__code__ = before
            del function.__globals__[name]

    def text(self) -> tuple[Path, str]:
        """(file, its text with the bug in it), for rules that read sources."""
        function = _resolve(self.where)
        path = Path(inspect.getsourcefile(function) or "").resolve()
        source = inspect.getsource(function)
        changed = textwrap.indent(self._source(function), _indent(source))
        return path.relative_to(HERE), path.read_text().replace(source, changed, 1)

    def _source(self, function: FunctionType) -> str:
        source = textwrap.dedent(inspect.getsource(function))
        if source.count(self.old) != 1:
            raise StaleEdit(
                f"{self.where}: {source.count(self.old)} times {self.old!r}; look again"
            )
        return source.replace(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Swap:
    """The value at `where` (module:name or module:Class.name) becomes what `make` says of it."""

    where: str
    make: Callable[[Any], Any]

    @contextmanager
    def planted(self) -> Iterator[Ran]:
        """The other value, until the end of the block."""
        owner, name = _place(self.where)
        before, ran = getattr(owner, name), Ran()
        ran()
        setattr(owner, name, self.make(before))
        try:
            yield ran
        finally:
            setattr(owner, name, before)


@dataclass(frozen=True, slots=True)
class Rows:
    """The table at `where` is another one, in place: whoever imported it sees it too."""

    where: str
    make: Callable[[dict[Any, Any]], dict[Any, Any]]

    @contextmanager
    def planted(self) -> Iterator[Ran]:
        """The other rows, until the end of the block."""
        owner, name = _place(self.where)
        table, ran = getattr(owner, name), Ran()
        before = dict(table)
        after = self.make(dict(table))
        if after == before:
            raise StaleEdit(f"{self.where}: the table is the same")
        ran()
        _fill(table, after)
        try:
            yield ran
        finally:
            _fill(table, before)


Change = Edit | Swap | Rows


def _fill(table: dict[Any, Any], rows: dict[Any, Any]) -> None:
    table.clear()
    table.update(rows)


def _place(where: str) -> tuple[Any, str]:
    """The owner of a name, and the name's last part."""
    module, _, path = where.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    return owner, name


def _resolve(where: str) -> FunctionType:
    owner, name = _place(where)
    found = inspect.getattr_static(owner, name)
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, classmethod | staticmethod):
        found = found.__func__
    found = inspect.unwrap(found)
    if not isinstance(found, FunctionType):
        raise StaleEdit(f"{where} is no function")
    return found


def _indent(source: str) -> str:
    return source[: len(source) - len(source.lstrip())]


def _changed(function: FunctionType, source: str, ran: str) -> CodeType:
    """The code of `source`, that of `function` but for a few words, which counts its calls."""
    (tree,) = ast.parse(source).body
    assert isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef)
    tree.decorator_list = []
    count = ast.parse(f"{ran}()").body
    tree.body[:0] = count
    ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)
    whole = ast.parse(f"def __outer__({', '.join(function.__code__.co_freevars)}): pass")
    outer = whole.body[0]
    assert isinstance(outer, ast.FunctionDef)
    # A function of a module calls itself by its global name; a closure only has what it had.
    outer.body = [ast.Global([tree.name]), tree] if "." not in function.__qualname__ else [tree]
    flags = function.__code__.co_flags & _ANNOTATIONS
    compiled = compile(
        ast.fix_missing_locations(whole),
        function.__code__.co_filename,
        "exec",
        flags=flags,
        dont_inherit=True,
    )
    return _inner(_inner(compiled, "__outer__"), function.__name__)


def _inner(code: CodeType, name: str) -> CodeType:
    return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)
