"""The tables of moves as pictures: SVG that scales, for pages in light and in dark.

States stand on a grid, in places that were chosen so that few lines cross; a state that has no
place yet gets the next one below, so that a new row of a table is never left out. Colours are the
page's own. Never: names another host, except for the name of the format where a file needs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from payrail.domain.states import MOVES, Move

#: Where each state stands: column, row. The way of money goes from left to right.
PLACES: dict[str, dict[str, tuple[float, float]]] = {
    "payment": {
        "created": (0, 1.5),
        "processing": (1.25, 1.5),
        "requires_action": (1.25, 0),
        "authorized": (2.5, 1.5),
        "unknown": (2.5, 3.2),
        "captured": (3.75, 1.5),
        "declined": (3.75, 0),
        "reversed": (3.75, 4.4),
        "settled": (4.9, 1.5),
        "chargeback": (4.9, 3.2),
    },
    "refund": {
        "pending_approval": (0, 1),
        "approved": (1.2, 1),
        "rejected": (1.2, 2.1),
        "expired": (1.2, 0),
        "processing": (2.4, 1),
        "succeeded": (3.6, 1),
        "failed": (3.6, 2.1),
    },
    "dispute": {
        "inquiry": (0, 0),
        "closed": (0, 1.1),
        "opened": (1.2, 0),
        "under_review": (2.4, 0),
        "won": (3.6, 0),
        "lost": (3.6, 1.1),
    },
    "payout": {"in_transit": (0, 0), "paid": (1.2, 0), "failed": (1.2, 1.1)},
}
#: Where a line is pulled aside by so much, and where along it its word stands, if not as usual.
BENDS = {("created", "reversed"): -70.0, ("requires_action", "reversed"): 120.0}
WORDS_AT = {
    ("processing", "captured"): 0.62,
    ("processing", "declined"): 0.3,
    ("requires_action", "reversed"): 0.16,
    ("unknown", "declined"): 0.78,
    ("unknown", "captured"): 0.36,
    ("created", "reversed"): 0.35,
    ("authorized", "reversed"): 0.62,
}
_COLUMN, _ROW, _WIDTH, _HEIGHT, _EDGE = 180, 84, 132, 34, 40
_FORMAT = ' xmlns="http://www.w3.org/2000/svg"'
_STYLE = (
    ".m text{font:12px ui-sans-serif,system-ui,sans-serif;fill:currentColor}"
    ".m .s{fill:var(--card,#fff);stroke:currentColor;stroke-width:1.2}"
    ".m .e{stroke-width:2.4}.m .n{font-weight:600}"
    ".m path{fill:none;stroke:currentColor;stroke-opacity:.55;stroke-width:1.2}"
    ".m .l{font-size:11px;paint-order:stroke;stroke:var(--paper,#fff);stroke-width:5px;"
    "stroke-linejoin:round}.m .h{fill:currentColor;stroke:none;fill-opacity:.75}"
)
_ALONE = (
    ".m{color:#1d2430;background:#fff}@media(prefers-color-scheme:dark){.m{color:#e4e7ec;"
    "background:#14171c;--card:#1d2129;--paper:#14171c}}"
)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line between two states, and the words of every entry that draws it."""

    start: str
    end: str
    words: tuple[str, ...]


def svg(about: str, *, alone: bool = False, now: str | None = None) -> str:
    """The picture; `alone`: as a file of its own. `now`: the state that something is in is marked,
    and the entries that lead from one to the other are left out, so that it can be small. Raises
    KeyError for what has no table."""
    moves = MOVES[about]
    places = _places(about, moves)
    width = int(max(x for x, _ in places.values()) * _COLUMN) + _WIDTH + 2 * _EDGE
    height = int(max(y for _, y in places.values()) * _ROW) + _HEIGHT + 2 * _EDGE
    lines = _lines(moves)
    ends = set(places) - {line.start for line in lines}
    drawn = [
        *(_path(line, places, lines) for line in lines),
        *(_start(places[state]) for state in _begins(moves)),
        *(_state(name, places[name], is_end=name in ends, is_now=name == now) for name in places),
        *(_label(line, places, lines) for line in lines if now is None),
    ]
    title = f"States of a {about}" + (f", now {now}" if now in places else "")
    head = f"<style>{_STYLE}{_ALONE}</style>" if alone else ""
    return (
        f'<svg{_FORMAT if alone else ""} class="m" role="img" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}"><title>{escape(title)}</title>{head}'
        '<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto-start-reverse"><path class="h" d="M0 0 8 4 0 8z"/>'
        f"</marker></defs>\n{chr(10).join(drawn)}\n</svg>"
    )


def style() -> str:
    """What a page says of pictures that stand in it."""
    return _STYLE


def _places(about: str, moves: Sequence[Move]) -> dict[str, tuple[float, float]]:
    known = PLACES.get(about, {})
    names = dict.fromkeys(state for start, _, end in moves for state in (start, end) if state)
    below = max((y for _, y in known.values()), default=-1) + 1
    strange = [name for name in names if name not in known]
    return {name: known.get(name) or (float(strange.index(name)), float(below)) for name in names}


def _begins(moves: Sequence[Move]) -> list[str]:
    return [end for start, _, end in moves if start is None]


def _lines(moves: Sequence[Move]) -> list[_Line]:
    """Lines in the order of the table; a move that leaves the state as it is draws none."""
    found: dict[tuple[str, str], list[str]] = {}
    for start, entry_type, end in moves:
        if start is not None and start != end:
            found.setdefault((start, end), []).append(entry_type.partition(".")[2])
    return [_Line(start, end, tuple(words)) for (start, end), words in found.items()]


def _centre(place: tuple[float, float]) -> tuple[float, float]:
    return _EDGE + place[0] * _COLUMN + _WIDTH / 2, _EDGE + place[1] * _ROW + _HEIGHT / 2


def _bend(
    line: _Line, places: dict[str, tuple[float, float]], lines: Sequence[_Line]
) -> tuple[float, float]:
    """The middle point that pulls the line: aside where a state or the way back is in between."""
    (x1, y1), (x2, y2) = _centre(places[line.start]), _centre(places[line.end])
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
    has_way_back = any((one.start, one.end) == (line.end, line.start) for one in lines)
    others = [
        _centre(place) for name, place in places.items() if name not in (line.start, line.end)
    ]
    pull = 34.0 if has_way_back else 0.0
    if any(_is_between(one, (x1, y1), (x2, y2)) for one in others):
        pull = 92.0 if abs(y1 - y2) < _ROW / 2 else 150.0
    pull = BENDS.get((line.start, line.end), pull)
    length = max(1.0, ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5)
    return middle_x + pull * (y2 - y1) / length, middle_y - pull * (x2 - x1) / length


def _is_between(
    point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]
) -> bool:
    """Whether a box around `point` is crossed by the straight line."""
    for step in range(1, 20):
        x = start[0] + (end[0] - start[0]) * step / 20
        y = start[1] + (end[1] - start[1]) * step / 20
        if abs(x - point[0]) < _WIDTH / 2 + 4 and abs(y - point[1]) < _HEIGHT / 2 + 4:
            return True
    return False


def _on_border(place: tuple[float, float], towards: tuple[float, float]) -> tuple[float, float]:
    x, y = _centre(place)
    dx, dy = towards[0] - x, towards[1] - y
    scale = min(
        (_WIDTH / 2 + 3) / abs(dx) if dx else 1e9, (_HEIGHT / 2 + 3) / abs(dy) if dy else 1e9
    )
    return x + dx * scale, y + dy * scale


def _path(line: _Line, places: dict[str, tuple[float, float]], lines: Sequence[_Line]) -> str:
    bend = _bend(line, places, lines)
    (x1, y1), (x2, y2) = (_on_border(places[name], bend) for name in (line.start, line.end))
    return (
        f'<path d="M{x1:.1f} {y1:.1f}Q{bend[0]:.1f} {bend[1]:.1f} {x2:.1f} {y2:.1f}" '
        'marker-end="url(#a)"/>'
    )


def _label(line: _Line, places: dict[str, tuple[float, float]], lines: Sequence[_Line]) -> str:
    bend = _bend(line, places, lines)
    (x1, y1), (x2, y2) = (_on_border(places[name], bend) for name in (line.start, line.end))
    # Nearer to its start, where lines that end at one state are still apart.
    t = WORDS_AT.get((line.start, line.end), 0.42 if abs(y1 - y2) > _ROW / 2 else 0.5)
    x = (1 - t) ** 2 * x1 + 2 * t * (1 - t) * bend[0] + t * t * x2
    y = (1 - t) ** 2 * y1 + 2 * t * (1 - t) * bend[1] + t * t * y2
    words = escape(", ".join(line.words).replace("_", " "))
    return f'<text class="l" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{words}</text>'


def _start(place: tuple[float, float]) -> str:
    x, y = _centre(place)
    left = x - _WIDTH / 2
    return (
        f'<circle class="h" cx="{left - 28:.1f}" cy="{y:.1f}" r="5"/>'
        f'<path d="M{left - 22:.1f} {y:.1f}H{left - 3:.1f}" marker-end="url(#a)"/>'
    )


def _state(name: str, place: tuple[float, float], *, is_end: bool, is_now: bool) -> str:
    x, y = _centre(place)
    mark = " now" if is_now else ""
    kind = ("s e" if is_end else "s") + mark
    return (
        f'<rect class="{kind}" x="{x - _WIDTH / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" rx="8"/><text class="n{mark}" x="{x:.1f}" '
        f'y="{y + 4.5:.1f}" text-anchor="middle">{escape(name)}</text>'
    )
