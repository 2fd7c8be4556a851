"""`simulate --case`: one crash point played again, or a list of those that there are.

--case refunds                              its scenes
--case refunds/refund-made                  its effects, and the ways to break each
--case refunds/refund-made/12/before-one    played again
"""

from actors.cli.common import put, put_json, put_table
from actors.cli.exits import NO_SUCH, Stop
from actors.simulation import points
from actors.simulation.breaks import ways_of
from actors.simulation.points import Key
from actors.simulation.scenes import FLOWS

_REMEDY = (
    "`payrail simulate --case FLOW` lists its scenes, `--case FLOW/SCENE` its effects and the ways "
    "to break each; one case is like refunds/refund-made/1/before-one."
)


def again(text: str, as_json: bool) -> bool:
    """Play a case again, or list what begins so. Result: whether it held. Raises Stop 66."""
    flow, _, rest = text.partition("/")
    try:
        if not rest:
            points.must_be_flow(flow)
        elif "/" not in rest:
            return _effects(points.must_be_scene(flow, rest), as_json)
        else:
            return _played(points.read_case(text), as_json)
    except ValueError as error:
        raise Stop(NO_SUCH, str(error), _REMEDY) from error
    return _scenes(flow, as_json)


def _played(case: points.Case, as_json: bool) -> bool:
    """Play one case; a fault is told with where it was found."""
    tally = points.play_all([case])
    if as_json:
        put_json({"case": str(case), "failures": tally.failures})
    elif not tally.failures:
        put(f"{case}: holds")
    else:
        points.play(case)
    return not tally.failures


def _scenes(flow: str, as_json: bool) -> bool:
    names = [f"{flow}/{scene.slug}" for scene in FLOWS[flow]]
    if as_json:
        put_json({"flow": flow, "scenes": names})
    else:
        put_table(("scene",), [(name,) for name in names])
    return True


def _effects(key: Key, as_json: bool) -> bool:
    effects = [
        {"n": n, "actor": actor, "effect": call.op, "file": call.path, "ways": ways_of(call)}
        for n, (actor, call) in enumerate(points.effects(key), 1)
    ]
    if as_json:
        put_json({"scene": "/".join(key), "effects": effects})
    else:
        rows = [(one["n"], one["actor"], one["effect"], one["file"]) for one in effects]
        ways = [" ".join(ways_of(call)) for _, call in points.effects(key)]
        columns = ("n", "actor", "effect", "file", "ways")
        put_table(columns, [(*row, way) for row, way in zip(rows, ways, strict=True)])
    return True
