"""Settlement and reconciliation: what reconciler, providers and gateway say about batches."""

from payrail.domain.words.kinds import Kind

KINDS: tuple[Kind, ...] = ()
