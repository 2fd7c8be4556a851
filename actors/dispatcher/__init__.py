"""Webhooks out: when and whether each event is delivered to each endpoint."""
