"""A provider that we play ourselves: approves, declines, and fails on purpose."""
