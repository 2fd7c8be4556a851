"""Bugs planted on purpose: the proof that the tests of this house can fail, and where."""
