"""All planted bugs, by area."""

from tests.planted.bugs import (
    doors,
    doubt,
    files,
    hooks,
    keys,
    loop,
    moves,
    rotation,
    seal,
    settling,
    tokens,
    vault,
    wishes,
    world,
)
from tests.planted.planted import Bugs

AREAS: Bugs = {
    "loop": loop.BUGS,
    "files": files.BUGS,
    "keys": keys.BUGS,
    "moves": moves.BUGS,
    "doubt": doubt.BUGS,
    "vault": vault.BUGS,
    "tokens": tokens.BUGS,
    "rotation": rotation.BUGS,
    "seal": seal.BUGS,
    "wishes": wishes.BUGS,
    "hooks": hooks.BUGS,
    "settling": settling.BUGS,
    "doors": doors.BUGS,
    "world": world.BUGS,
}
NAMED = {bug.name: bug for bugs in AREAS.values() for bug in bugs}
