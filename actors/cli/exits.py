"""How a verb ends when it cannot do what it was asked: an exit code, what is wrong, what to do.

Never: shows a traceback for something that people can mend.
"""

import sys

from payrail.domain.cards import mask_pans
from payrail.errors import BadSettings, Damage, HomeHeld, NotRunning, PayRailError

OK = 0
FAILED = 1  # a story or a check failed
USAGE = 64
DAMAGE = 65  # `verify` found damage
NO_SUCH = 66
NOT_RUNNING = 69
CORRUPT = 70  # corrupt or behind
HELD = 73  # another house holds the home
IO_FAILED = 74
TRY_LATER = 75
SETTINGS = 78
INTERRUPTED = 130  # 128 + SIGINT, as shells have it

_REMEDIES = {
    HELD: "See who it is with `payrail ps`; end it with `payrail down`.",
    NOT_RUNNING: "Start the house with `payrail up --demo` in the same PAYRAIL_HOME.",
    CORRUPT: "Keep the files as they are; `payrail verify` names file and line.",
    IO_FAILED: "Free or mend the disk; `payrail doctor` names what is in the way.",
    SETTINGS: "Mend the variable, or its line in .env; `payrail doctor` checks the rest.",
}


class Stop(PayRailError):
    """End the verb with `code`; `what` is wrong and `remedy` says what to do about it."""

    def __init__(self, code: int, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.code, self.remedy = code, remedy


def usage(what: str, remedy: str = "") -> Stop:
    """The command line itself is wrong."""
    return Stop(USAGE, what, remedy)


def exit_code(error: BaseException) -> int:
    """The code that stands for an error of ours or of the operating system; 1 for any other."""
    if isinstance(error, Stop):
        return error.code
    for family, code in (
        (BadSettings, SETTINGS),
        (HomeHeld, HELD),
        (NotRunning, NOT_RUNNING),
        (Damage, CORRUPT),
        (OSError, IO_FAILED),
    ):
        if isinstance(error, family):
            return code
    return FAILED


def report(error: BaseException) -> int:
    """Say on stderr what is wrong and what to do; result: the exit code. What was typed may be
    repeated there, a card number is not."""
    code = exit_code(error)
    print(mask_pans(f"payrail: {error}"), file=sys.stderr)
    remedy = error.remedy if isinstance(error, Stop) else ""
    if remedy := remedy or _REMEDIES.get(code, ""):
        print(f"  {remedy}", file=sys.stderr)
    return code
