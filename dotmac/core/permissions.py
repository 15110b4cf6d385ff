"""The catalogue of permissions: one per operation, "app.verb_noun".

Apps declare theirs in `AppConfig.ready`. Roles hold names from here; a view
that names an undeclared permission fails when it is imported into the URLs.
"""

from __future__ import annotations

_CATALOGUE: dict[str, str] = {}
_DANGEROUS: set[str] = set()
_OWN: dict[str, str] = {}
_WITH_AMOUNT: set[str] = set()
_WHOLE: set[str] = set()


def declare(app: str, **permissions: str) -> None:
    """Add permissions of one app: verb_noun="What it allows." Repeatable."""
    for name, meaning in permissions.items():
        _CATALOGUE[f"{app}.{name}"] = meaning


def declare_own(app: str, **permissions: str) -> None:
    """What everybody who signed in may do with their own sign-in. Repeatable.

    No role holds or takes them, and only a rule refuses them for the moment; their
    views show and change rows of the person who asks and of nobody else. Programs
    with an API key do not have them.
    """
    for name, meaning in permissions.items():
        _OWN[f"{app}.{name}"] = meaning


def catalogue() -> dict[str, str]:
    """The permissions that roles and grants may hold."""
    return dict(sorted(_CATALOGUE.items()))


def is_declared(permission: str) -> bool:
    return permission in _CATALOGUE or permission in _OWN


def is_grantable(permission: str) -> bool:
    """Whether roles and grants may hold it: declared, and not one's own anyway."""
    return permission in _CATALOGUE


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


def declare_amounts(app: str, *names: str) -> None:
    """Permissions whose operations weigh an amount (`Actor.weigh`). Repeatable."""
    for name in names:
        if not is_declared(f"{app}.{name}"):
            raise ValueError(f"{app}.{name} is not declared.")
        _WITH_AMOUNT.add(f"{app}.{name}")


def carries_amount(permission: str) -> bool:
    return permission in _WITH_AMOUNT


def declare_whole(app: str, *names: str) -> None:
    """Permissions about what belongs to the operator as a whole. Repeatable.

    Held in a branch or at a reseller they reach nothing: a reseller's engineer
    must not see the operator's access servers, nor move its business date.
    """
    for name in names:
        if not is_declared(f"{app}.{name}"):
            raise ValueError(f"{app}.{name} is not declared.")
        _WHOLE.add(f"{app}.{name}")


def is_whole(permission: str) -> bool:
    return permission in _WHOLE
