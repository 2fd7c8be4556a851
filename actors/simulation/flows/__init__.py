"""What simulated shops and people do: one flow each, and one table of them all (`registry`)."""

from actors.simulation.flows.registry import FLOWS, Flow

__all__ = ["FLOWS", "Flow"]
