"""The house with its processes, spoken to from outside."""
