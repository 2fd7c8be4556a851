"""`python -m tests.planted`: says in one line what is not installed, before anything needs it."""

import sys

from tests.commands import must_have

if __name__ == "__main__":
    must_have("python -m tests.planted", "pytest", "hypothesis", "pytest_asyncio", "xdist")
    from tests.planted.command import main

    sys.exit(main(sys.argv[1:]))
