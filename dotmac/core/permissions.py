"""The catalogue of permissions: one per operation, "app.verb_noun".

Apps declare theirs in `AppConfig.ready`. Roles hold names from here; a view
that names an undeclared permission fails when it is imported into the URLs.
"""

from __future__ import annotations

_CATALOGUE: dict[str, str] = {}
_DANGEROUS: set[str] = set()
_OWN: dict[str, str] = {}


def declare(app: str, **permissions: str) -> None:
    """Add permissions of one app: verb_noun="What it allows." Repeatable."""
    for name, meaning in permissions.items():
        _CATALOGUE[f"{app}.{name}"] = meaning


def declare_own(app: str, **permissions: str) -> None:
    """What everybody who signed in may do with their own sign-in. Repeatable.

    No role holds these and none can lose them; their views show and change rows
    of the person who asks and of nobody else. Programs with an API key do not
    have them.
    """
    for name, meaning in permissions.items():
        _OWN[f"{app}.{name}"] = meaning


def catalogue() -> dict[str, str]:
    """The permissions that roles and grants may hold."""
    return dict(sorted(_CATALOGUE.items()))


def is_declared(permission: str) -> bool:
    return permission in _CATALOGUE or permission in _OWN


def is_own(permission: str) -> bool:
    return permission in _OWN


def declare_dangerous(app: str, *names: str) -> None:
    """Permissions that need a second factor shown a few minutes ago. Repeatable."""
    for name in names:
        if not is_declared(f"{app}.{name}"):
            raise ValueError(f"{app}.{name} is not declared.")
        _DANGEROUS.add(f"{app}.{name}")


def is_dangerous(permission: str) -> bool:
    return permission in _DANGEROUS
