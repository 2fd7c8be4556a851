"""A made-up world, the same for the same seed: merchants, customers, cards, and what they will do.

Nothing here belongs to anybody: mail at domains for examples and tests (RFC 2606), addresses for
documentation (RFC 5737, RFC 3849), card numbers from the invented issuers of bins.csv.
Never: draws from an unseeded source, or makes a documented test card by chance.
"""

from payrail.domain.synthetic.crowd import World
from payrail.domain.synthetic.demo import PlannedPayment, demo_plan
from payrail.domain.synthetic.draws import Draws
from payrail.domain.synthetic.follows import Follow
from payrail.domain.synthetic.happenings import PlannedBreak, PlannedPayout
from payrail.domain.synthetic.outlook import Outlook, outlook
from payrail.domain.synthetic.people import MERCHANTS, Customer, Merchant
from payrail.domain.synthetic.plan import Plan, seed_stream
from payrail.domain.synthetic.scenes import SCENES, Act, Scene, SeededPayment, seed_plan
from payrail.domain.synthetic.shown import shown_card, shown_payment
from payrail.domain.synthetic.wallet import SyntheticCard
from payrail.domain.synthetic.world import YEAR, SmallWorld, world

__all__ = [
    "MERCHANTS",
    "SCENES",
    "YEAR",
    "Act",
    "Customer",
    "Draws",
    "Follow",
    "Merchant",
    "Outlook",
    "Plan",
    "PlannedBreak",
    "PlannedPayment",
    "PlannedPayout",
    "Scene",
    "SeededPayment",
    "SmallWorld",
    "SyntheticCard",
    "World",
    "demo_plan",
    "outlook",
    "seed_plan",
    "seed_stream",
    "shown_card",
    "shown_payment",
    "world",
]
