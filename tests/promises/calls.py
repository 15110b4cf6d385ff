"""Which function names which, read from the source: what can a call reach?

Names are followed through imports and through what packages hand on, methods
through `self`. Whoever is named counts as called, so that a function that is passed
on counts too. What an object's own methods do is not followed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.environment import ROOT

HOPS_MAX = 4
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def _modules() -> dict[str, tuple[ast.Module, dict[str, str]]]:
    """Every module of ours with what its imported names mean."""
    found = {}
    for part in ("apps", "dotmac"):
        for path in sorted((ROOT / part).rglob("*.py")):
            if "migrations" not in path.parts:
                tree = ast.parse(path.read_text())
                found[_name(path)] = (tree, dict(_imports(tree)))
    return found


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


@cache
def functions() -> dict[str, Function]:
    """Functions of modules and methods of classes, by dotted name."""
    return dict(
        found
        for module, (tree, _) in _modules().items()
        for found in _defined(module, tree)
    )


def _defined(prefix: str, tree: ast.AST) -> Iterator[tuple[str, Function]]:
    for node in getattr(tree, "body", ()):
        if isinstance(node, Function):
            yield f"{prefix}.{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _defined(f"{prefix}.{node.name}", node)


def real(name: str) -> str:
    """Where the function is that a package hands on under this name."""
    for _ in range(HOPS_MAX):
        module, _dot, last = name.rpartition(".")
        if name in functions() or module not in _modules():
            break
        name = _modules()[module][1].get(last, name)
    return name


@cache
def named_by(function: str) -> frozenset[str]:
    """The functions of ours that this one names."""
    owner = function.rpartition(".")[0]
    module = owner if owner in _modules() else owner.rpartition(".")[0]
    meanings = {**_modules()[module][1], "self": owner}
    found = set()
    for node in ast.walk(functions()[function]):
        if isinstance(node, ast.Name):
            found.add(meanings.get(node.id, f"{module}.{node.id}"))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{meanings.get(node.value.id, '')}.{node.attr}")
    return frozenset(real(name) for name in found) & functions().keys()


@cache
def reached_from(function: str) -> frozenset[str]:
    """Everything that a call of this function may get to, itself included."""
    seen, waiting = {function}, [function]
    while waiting:
        fresh = named_by(waiting.pop()) - seen
        seen |= fresh
        waiting += fresh
    return frozenset(seen)


def arguments(function: str) -> set[str]:
    found = functions()[function].args
    return {argument.arg for argument in (*found.args, *found.kwonlyargs)}


def public_operations() -> Iterator[tuple[str, str]]:
    """What the apps' operations offer: the short name, and where it stands."""
    for module, (_tree, imported) in _modules().items():
        if module.startswith("apps.") and module.endswith(".operations"):
            app = module.split(".")[1]
            for name in imported:
                if (where := real(f"{module}.{name}")) in functions():
                    yield f"{app}.{name}", where


def faces() -> list[str]:
    """Every function of views, screens and doors."""
    inside = tuple(f".{part}" for part in ("api", "console", "portal", "admin"))
    doors = ("dotmac.gateway", "dotmac.console", "dotmac.portal")
    return [
        name
        for name in functions()
        if name.startswith(doors)
        or (name.startswith("apps.") and f".{name.split('.')[2]}" in inside)
    ]
