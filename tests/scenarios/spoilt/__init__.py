"""Evidence of a whole run, spoilt in one way after another: the proof that invariants can fail."""
