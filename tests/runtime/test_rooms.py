"""Rules about the source itself: what the product may touch, and from which rooms alone.

Files go through `ports.Fs`, time through `Clock`, chance through `Rng` and `Moment.new_id`; a
signature is compared in constant time; our lines are split at newlines only. A room that is named
here may do what the rule forbids, because it is the filling of that port, or no actor at all.
"""

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.planted.sources import sources

#: Fillings of the port, and what lies beside the books: locks, cells, bells, folders of a house.
FILE_ROOMS = (
    "payrail/storage/fs.py",
    "payrail/runtime/locks.py",
    "payrail/runtime/cells.py",
    "payrail/runtime/cellpage.py",
    "payrail/runtime/complaints.py",
    "payrail/runtime/orders.py",
    "payrail/runtime/bells.py",
    "payrail/runtime/control.py",
    "payrail/runtime/house.py",
    "payrail/security/dumps.py",
)
#: Tables that are part of the package, and what a page shows.
PACKAGE_DATA_ROOMS = (
    "payrail/domain/cards.py",
    "payrail/domain/declines.py",
    "actors/console/render.py",
)
#: Who tells the time, and who waits for processes of this machine.
TIME_ROOMS = (
    "payrail/runtime/clocks.py",
    "payrail/runtime/cells.py",
    "payrail/runtime/cellpage.py",
    "payrail/runtime/control.py",
    "payrail/runtime/house.py",
    "payrail/security/dumps.py",
    "payrail/runtime/warden.py",
    "payrail/runtime/supervisor.py",
    "payrail/runtime/processes.py",
)
CHANCE_ROOMS = ("payrail/runtime/clocks.py", "payrail/runtime/sim.py")
#: Text of people, or of a table in the package; never a line of ours.
TEXT_ROOMS = (
    "payrail/rulefile.py",
    "payrail/domain/cards.py",
    "payrail/domain/declines.py",
    "actors/frontdoor/provider_door.py",
    "actors/simulation/",  # what it says to people
)
#: Hashes of files and lines: they tell of damage, and keep nothing secret.
CHECKSUM_ROOMS = (
    "payrail/storage/lines.py",
    "payrail/storage/handfile.py",
    "payrail/storage/fs.py",
    "payrail/audit/documents.py",
    "payrail/audit/house.py",
)

#: Who sits before the house and not in it: a terminal, and a run of many simulated houses.
OUTSIDE = ("actors/cli/", "actors/simulation/campaign.py")

_FILES = frozenset(
    {"open", "io.open", "mmap.mmap"}
    | {f"os.{verb}" for verb in ("open", "replace", "rename", "unlink", "remove", "mkdir")}
    | {f"os.{verb}" for verb in ("makedirs", "write", "pwrite", "fsync", "truncate", "ftruncate")}
    | {f"shutil.{verb}" for verb in ("rmtree", "move", "copy", "copyfile")}
)
_PATHS = frozenset({"write_text", "write_bytes", "read_text", "read_bytes", "touch", "mkdir"})
_TIMES = frozenset(
    {f"time.{verb}" for verb in ("time", "time_ns", "monotonic", "monotonic_ns", "sleep")}
    | {f"datetime.{verb}" for verb in ("now", "utcnow", "today")}
    | {"date.today", "time.perf_counter"}
)
_CHANCES = ("random", "secrets", "uuid")
_SECRETS = ("mac", "signature", "secret", "digest", "password")
#: What may be compared where everything else may be a proof: lengths, and ids of public keys.
_NO_PROOFS = ("len(", "_key_id(")

Judge = Callable[[ast.AST], bool]


def touches_files(node: ast.AST) -> bool:
    return _called(node) in _FILES or (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _PATHS
    )


def tells_the_time(node: ast.AST) -> bool:
    return _called(node) in _TIMES


def draws_lots(node: ast.AST) -> bool:
    """Chance without a seed; `Random(seed)` is none."""
    name = _called(node)
    has_seed = isinstance(node, ast.Call) and bool(node.args) and name.endswith("Random")
    return not has_seed and (name.partition(".")[0] in _CHANCES or name in ("os.urandom", "Random"))


def splits_lines(node: ast.AST) -> bool:
    return _called(node).endswith(".splitlines")


def compares_a_secret(node: ast.AST) -> bool:
    """`==` beside a name that sounds like a signature: its time tells how much of it is right."""
    if not isinstance(node, ast.Compare):
        return False
    is_equality = any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
    told = " ".join(ast.unparse(side) for side in (node.left, *node.comparators)).lower()
    return is_equality and any(word in told for word in _SECRETS)


def compares_what_may_be_a_proof(node: ast.AST) -> bool:
    """`==` between two values, whatever they are called; one with a constant is none."""
    if not isinstance(node, ast.Compare):
        return False
    is_equality = any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
    sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
    is_harmless = any(side.isupper() or side.startswith(_NO_PROOFS) for side in sides)
    is_constant = any(isinstance(side, ast.Constant) for side in node.comparators)
    return is_equality and not is_harmless and not is_constant


def _called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


RULES: dict[str, tuple[Judge, tuple[str, ...]]] = {
    "touches files": (touches_files, FILE_ROOMS + PACKAGE_DATA_ROOMS),
    "tells the time": (tells_the_time, TIME_ROOMS),
    "draws lots": (draws_lots, CHANCE_ROOMS),
    "splits lines where Unicode says": (splits_lines, TEXT_ROOMS),
    "compares a secret in time that tells": (compares_a_secret, CHECKSUM_ROOMS),
}


def _found(is_meant: Judge, rooms: tuple[str, ...], *folders: str) -> Iterator[str]:
    for path, text in sources(*folders):
        if path.startswith((*rooms, *OUTSIDE)):
            continue
        for node in ast.walk(ast.parse(text)):
            if is_meant(node):
                yield f"{path}:{getattr(node, 'lineno', 0)}: {ast.unparse(node)[:80]}"


@pytest.mark.parametrize("rule", RULES)
def test_only_its_own_rooms_do_it(rule: str):
    """No room beside those that are named touches files, time or chance, nor splits or compares
    what wants more care."""
    assert list(_found(*RULES[rule], "payrail", "actors")) == []


def test_no_proof_is_compared_with_equals():
    """In the rooms of keys and signatures every comparison of two values is in constant time."""
    assert list(_found(compares_what_may_be_a_proof, (), "payrail/security")) == []


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("touches files", "open('x')"),
        ("touches files", "path.write_bytes(b'')"),
        ("tells the time", "time.time()"),
        ("draws lots", "secrets.token_hex(4)"),
        ("draws lots", "Random()"),
        ("splits lines where Unicode says", "data.splitlines()"),
        ("compares a secret in time that tells", "given == self._mac(x)"),
    ],
)
def test_each_rule_sees_what_it_forbids(rule: str, line: str):
    """A rule that finds nothing anywhere may be blind: each of them sees one line."""
    judge, _ = RULES[rule]
    assert any(judge(node) for node in ast.walk(ast.parse(line)))
