"""`data/rules/refunds.toml`: who has to approve a refund, as people wrote it.

Never: opens the file (`actors.gateway.rule_files`), or repeats what stands there.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from actors.gateway.settings import REMEDY
from payrail.domain.money import AMOUNT_MINOR_MAX, known_currency
from payrail.domain.refund_approval import RefundTiers
from payrail.rulefile import checked

PATH = "data/rules/refunds.toml"
HOUR_MS = 3_600_000

DEFAULT = b"""\
# Who has to approve a refund. The gateway made this file and never writes it again: it is yours.
# A change is taken within two seconds, for refunds that are asked for from then on.
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


def read_refund_rules(data: bytes) -> RefundTiers:
    """The tiers in the text of a file. Raises BadRules."""
    return checked(_File, PATH, data, remedy=REMEDY).tiers()


_Currency = Annotated[str, AfterValidator(known_currency)]
_Largest = dict[_Currency, Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]]


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    expires_after_hours: Annotated[int, Field(ge=1, le=24 * 365)] = 72
    automatic: _Largest = {}
    approver: _Largest = {}

    def tiers(self) -> RefundTiers:
        return RefundTiers(self.automatic, self.approver, self.expires_after_hours * HOUR_MS)
