"""All planted bugs, by area."""

from tests.planted.bugs import files, loop
from tests.planted.planted import Bugs

AREAS: Bugs = {"loop": loop.BUGS, "files": files.BUGS}
NAMED = {bug.name: bug for bugs in AREAS.values() for bug in bugs}
