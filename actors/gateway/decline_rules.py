"""`data/rules/declines.csv`: what a decline means, what the payer may be told, and whether another
provider may be tried after it.

Never: decides. `payrail.domain.declines` knows what the columns mean.
"""

import re

from actors.gateway.settings import REMEDY
from payrail.domain.declines import Declines, default_text, read_declines
from payrail.errors import BadRules, RuleFault

PATH = "data/rules/declines.csv"
DEFAULT = default_text().encode()
_LINE = re.compile(r"line ([0-9]+): (.*)", re.DOTALL)


def read_decline_rules(data: bytes) -> Declines:
    """The table in the text of a file. Raises BadRules that names line and remedy."""
    try:
        return read_declines(data.decode())
    except ValueError as error:
        found = _LINE.fullmatch(str(error))
        line, message = (int(found[1]), found[2]) if found else (1, str(error))
        raise BadRules(PATH, [RuleFault(line, "the table", message)], REMEDY) from None
