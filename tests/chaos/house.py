"""The house of real processes, under the name that the scenarios know it by."""

from actors.cli.chaos.house import House, HouseFailed

__all__ = ["House", "HouseFailed"]
