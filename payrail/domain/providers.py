"""The two names of a provider: `providerA` in payments and files, `provider-a` as an actor."""

_ACTORS = {"providerA": "provider-a", "providerB": "provider-b"}
_PUBLIC = {actor: public for public, actor in _ACTORS.items()}


def actor_of(name: str) -> str:
    """The actor behind either spelling. Raises KeyError for an unknown provider."""
    return _ACTORS[name] if name in _ACTORS else name if name in _PUBLIC else _ACTORS[name]


def public_name(name: str) -> str:
    """`providerA` for either spelling. Raises KeyError for an unknown provider."""
    return _PUBLIC[name] if name in _PUBLIC else name if name in _ACTORS else _PUBLIC[name]
