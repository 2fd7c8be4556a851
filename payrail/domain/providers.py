"""The two names of a provider: `providerA` in payments and files, `provider-a` as an actor."""

from payrail.domain.words.kinds import PROVIDERS

_ACTORS = dict(zip(("providerA", "providerB"), PROVIDERS, strict=True))
_PUBLIC = {actor: public for public, actor in _ACTORS.items()}


def actor_of(name: str) -> str:
    """The actor behind either spelling. Raises KeyError for an unknown provider."""
    return name if name in _PUBLIC else _ACTORS[name]


def public_name(name: str) -> str:
    """`providerA` for either spelling. Raises KeyError for an unknown provider."""
    return name if name in _ACTORS else _PUBLIC[name]
