"""The front door: parses, authenticates, limits, asks and answers. It decides nothing."""
