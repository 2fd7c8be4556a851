"""Webhooks out: what merchants say about their endpoints, what the dispatcher tells itself."""

from payrail.domain.words.kinds import Kind

KINDS: tuple[Kind, ...] = ()
