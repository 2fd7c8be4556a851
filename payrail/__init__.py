"""PayRail's runtime and shared rules. Names no actor; see `actors.wiring` for who lives here."""

__version__ = "0.1.0"
