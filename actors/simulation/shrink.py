"""Make a failing schedule shorter: the same seed again and again, with parts of it left out.

What is left out leaves the others as they were (`schedule`), so whatever still fails needs less.
Never: looks for another failure; any failure of the shorter schedule will do.
"""

from collections.abc import Callable

from actors.simulation.run import Result, plan_of, run

#: Runs that one failure is worth.
TRIES_MAX = 60


def shrunk(
    failed: Result,
    again: Callable[[int, tuple[int, ...]], Result] = run,
    tries_max: int = TRIES_MAX,
) -> Result:
    """The shortest schedule that was found to fail, by leaving out one part after the other."""
    best, tries, is_shorter = failed, 0, True
    while is_shorter:
        is_shorter = False
        for number in plan_of(best.seed, best.left_out).numbers:
            if tries >= tries_max:
                return best
            tries += 1
            shorter = again(best.seed, (*best.left_out, number))
            if shorter.failures:
                best, is_shorter = shorter, True
    return best


def replay_line(result: Result) -> str:
    """The words that play this run again."""
    line = f"payrail simulate --seed {result.seed}"
    if result.left_out:
        line += f" --without {','.join(map(str, result.left_out))}"
    return line
