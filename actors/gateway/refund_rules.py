"""`data/rules/refunds.toml`: made once with the defaults, then people's, and read at every start.

A file that cannot be used stops the gateway before it takes an order (exit 78, held): a limit that
somebody did not mean is worse than none. Never: reads it again while it runs, writes over it.
"""

import tomllib
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from payrail.domain.cards import mask_pans
from payrail.domain.money import AMOUNT_MINOR_MAX, known_currency
from payrail.domain.refund_approval import RefundTiers
from payrail.errors import BadSettings
from payrail.runtime.ports import Fs

PATH = "data/rules/refunds.toml"
REMEDY = "mend it and `payrail release gateway`, or remove the file to have the default made again"
HOUR_MS = 3_600_000
#: More than so many complaints are one mistake, told often.
_ERRORS_MAX = 10

DEFAULT = b"""\
# Who has to approve a refund. The gateway made this file and never writes it again: it is yours.
# It is read when the gateway starts (`payrail restart gateway`).
#
# So long a refund waits for its second person, in business time; then it is over.
expires_after_hours = 72

# Largest amounts by currency, in minor units, that need nobody. A currency that is not here needs
# somebody for every refund; whoever asks for a refund never approves it.
[automatic]
# USD = 1000

# Largest amounts that an approver may approve; beyond them it takes an admin. A currency that is
# not here has no such end.
[approver]
# USD = 100000
"""


def open_refund_rules(fs: Fs) -> RefundTiers:
    """The tiers of this home, made when there are none. Raises BadSettings with file, field and
    remedy; OSError when the file can neither be read nor made."""
    try:
        data = fs.read(PATH)
    except FileNotFoundError:
        fs.replace(PATH, DEFAULT)
        data = DEFAULT
    return read_refund_rules(data)


def read_refund_rules(data: bytes) -> RefundTiers:
    """The tiers in the text of a file. Raises BadSettings."""
    try:
        fields = tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise BadSettings(f"{PATH}: is not UTF-8 text; {REMEDY}") from None
    except tomllib.TOMLDecodeError as error:
        raise BadSettings(f"{PATH}: is not TOML: {mask_pans(str(error))}; {REMEDY}") from None
    except (ValueError, RecursionError):
        detail = "holds a number too long or a list too deep to read"
        raise BadSettings(f"{PATH}: {detail}; {REMEDY}") from None
    try:
        return _File.model_validate(fields).tiers()
    except ValidationError as error:
        raise BadSettings("\n".join([*_complaints(error), REMEDY])) from None


def _complaints(error: ValidationError) -> list[str]:
    """One line a field: where it stands and what it must be, never what it holds."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return [
        f"{PATH}: {mask_pans('.'.join(map(str, one['loc'])))}: "
        f"{one['msg'].removeprefix('Value error, ')}"
        for one in found[:_ERRORS_MAX]
    ]


_Currency = Annotated[str, AfterValidator(known_currency)]
_Largest = dict[_Currency, Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]]


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    expires_after_hours: Annotated[int, Field(ge=1, le=24 * 365)] = 72
    automatic: _Largest = {}
    approver: _Largest = {}

    def tiers(self) -> RefundTiers:
        return RefundTiers(self.automatic, self.approver, self.expires_after_hours * HOUR_MS)
