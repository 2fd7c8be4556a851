"""Rounds in turn (A B A B …) and their medians: how every figure here is made."""

import json
import statistics
import sys
from collections.abc import Callable, Mapping
from typing import Any

Figures = Mapping[str, float]


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of them lie; 0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def in_turn(
    variants: Mapping[str, Callable[[], Figures]], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Run each variant once a round. Result: variant -> figure -> one value a round."""
    found: dict[str, dict[str, list[float]]] = {}
    for number in range(1, rounds + 1):
        for name, run in variants.items():
            for figure, value in run().items():
                found.setdefault(name, {}).setdefault(figure, []).append(value)
            print(f"round {number} of {rounds}: {name} done", file=sys.stderr, flush=True)
    return found


def shown(values: list[float]) -> str:
    """`median [min–max]`."""
    middle = statistics.median(values)
    return f"{middle:.3g} [{min(values):.3g}–{max(values):.3g}]"


def print_table(found: Mapping[str, Mapping[str, list[float]]], *, as_json: bool = False) -> None:
    """Every figure of every variant, as a table or as JSON."""
    if as_json:
        print(json.dumps(found))
        return
    for name, figures in found.items():
        print(f"\n{name}")
        for figure, values in figures.items():
            print(f"  {figure:<28} {shown(values)}")


def ratios(
    found: Mapping[str, Mapping[str, list[float]]], ours: str, theirs: str, figure: str
) -> list[float]:
    """Ours divided by theirs, round by round: machines drift, rounds do not."""
    pairs = zip(found[ours][figure], found[theirs][figure], strict=True)
    return [a / b for a, b in pairs]


Row = dict[str, Any]
