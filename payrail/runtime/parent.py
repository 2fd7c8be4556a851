"""A process that ends with the one that started it.

Never: looks for its parent. Linux tells; elsewhere the end of stdin must do.
"""

import ctypes

_PR_SET_PDEATHSIG = 1  # Source: linux/prctl.h.


def end_with_parent(signal_number: int) -> None:
    """Ask Linux for this signal once the parent is gone; without effect elsewhere."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal_number)
    except (OSError, AttributeError):
        pass
