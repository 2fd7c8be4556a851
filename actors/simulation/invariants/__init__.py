"""What must hold after a run, whatever happened in it: one `Invariant` for each promise.

`check_all(evidence)` gives `Findings`, which are true when there are any, and print as sentences:

    I2 no double charge
      pi_1: 2 live approvals over all providers (data/providers/providerB_truth.jsonl:1)

Each room holds the invariants of one theme and lists them; `registry` puts them in order.
"""

from actors.simulation.invariants.invariant import Findings, Invariant
from actors.simulation.invariants.registry import ALL, WAITING, check_all

__all__ = ["ALL", "WAITING", "Findings", "Invariant", "check_all"]
