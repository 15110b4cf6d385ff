"""The catalogue of permissions: one per operation, "app.verb_noun".

Apps declare theirs in `AppConfig.ready`. Roles hold names from here; a view
that names an undeclared permission fails when it is imported into the URLs.
"""

from __future__ import annotations

_CATALOGUE: dict[str, str] = {}
_DANGEROUS: set[str] = set()


def declare(app: str, **permissions: str) -> None:
    """Add permissions of one app: verb_noun="What it allows." Repeatable."""
    for name, meaning in permissions.items():
        _CATALOGUE[f"{app}.{name}"] = meaning


def catalogue() -> dict[str, str]:
    return dict(sorted(_CATALOGUE.items()))


def is_declared(permission: str) -> bool:
    return permission in _CATALOGUE


def declare_dangerous(app: str, *names: str) -> None:
    """Permissions that need a second factor shown a few minutes ago. Repeatable."""
    for name in names:
        if not is_declared(f"{app}.{name}"):
            raise ValueError(f"{app}.{name} is not declared.")
        _DANGEROUS.add(f"{app}.{name}")


def is_dangerous(permission: str) -> bool:
    return permission in _DANGEROUS
