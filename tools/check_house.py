"""The house rules that no ready-made linter knows. Each has an example in
tests/promises/test_house_rules.py that it catches.

Usage: python tools/check_house.py [FOLDER]; prints `path:line: rule` and exits 1
when something is found.
"""

from __future__ import annotations

import ast
import re
import subprocess  # nosec B404
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
STORY_LINES_MAX = 70
# Where a clock may be read: the edges of the system.
EDGES = (
    "/api/", "/console", "/portal", "/admin", "/tasks", "/handlers", "/management/",
    "dotmac/gateway/", "dotmac/console/", "dotmac/portal/", "dotmac/devtools/",
    "dotmac/live/", "dotmac/celery", "/radius/", "dotmac/core/telemetry", "dotmac/core/denials",
    "dotmac/core/sessions", "tests/", "tools/", "scripts/",
)  # fmt: skip
_CLOCKS = {"timezone.now", "datetime.now", "datetime.utcnow", "date.today", "time.time"}
_INLINE = re.compile(
    r"<[^>{}]*\s(style|on[a-z]+)\s*=|<script(?![^>]*\ssrc=)|<style", re.IGNORECASE
)

_SIGNALS = {"django.dispatch", "django.db.models.signals"}
_MODEL_HOOKS = {"save", "delete", "clean"}

Finding = tuple[int, str]
Check = Callable[[str, ast.Module, str], Iterator[Finding]]


def lengths(path: str, tree: ast.Module, text: str) -> Iterator[Finding]:
    """Files and functions that grew beyond what one head holds."""
    lines = text.count("\n")
    if lines > FILE_LINES_MAX and "/migrations/" not in path:
        yield 1, f"{lines} lines, at most {FILE_LINES_MAX}: split it by noun"
    limit = STORY_LINES_MAX if "tests/journeys/" in path else FUNCTION_LINES_MAX
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > limit and "/migrations/" not in path:
                yield node.lineno, f"{node.name} has {length} lines, at most {limit}"


def model_lookups(path: str, tree: ast.Module, text: str) -> Iterator[Finding]:
    """`apps.get_model` hides an import from the contracts."""
    if "/migrations/" in path:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "get_model":
            yield node.lineno, "get_model belongs to migrations only"


def clocks(path: str, tree: ast.Module, text: str) -> Iterator[Finding]:
    """Time comes in as an argument below the edge."""
    if any(edge in f"/{path}" for edge in EDGES) or "/migrations/" in path:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _CLOCKS:
            yield node.lineno, f"{ast.unparse(node.func)}() below the edge: pass `now`"


def tasks(path: str, tree: ast.Module, text: str) -> Iterator[Finding]:
    """A task has a name and a time limit, and takes later arguments."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            source = ast.unparse(decorator)
            if not source.startswith("shared_task"):
                continue
            if "name=" not in source or "time_limit=" not in source:
                yield node.lineno, "a task states name= and time_limit="
            if node.args.args or node.args.kwarg is None:
                yield node.lineno, "a task is keyword-only and takes **_later"


def locks(path: str, tree: ast.Module, text: str) -> Iterator[Finding]:
    """A row lock states its strength: the weaker one does not block foreign keys."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "select_for_update"
            and not any(keyword.arg == "no_key" for keyword in node.keywords)
        ):
            yield node.lineno, "select_for_update states no_key=True or no_key=False"


def signals(path: str, tree: ast.Module, text: str) -> Iterator[Finding]:
    """Nobody sees a signal, and bulk writes skip it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in _SIGNALS:
            yield node.lineno, "no Django signals: emit an event"


def hidden_writes(path: str, tree: ast.Module, text: str) -> Iterator[Finding]:
    """Bulk writes skip save() and clean(); the order of rows is said where it counts."""
    if "/models" not in path:
        return
    classes = (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    for owner, item in ((node, item) for node in classes for item in node.body):
        if isinstance(item, ast.FunctionDef) and item.name in _MODEL_HOOKS:
            yield item.lineno, f"no {item.name}() on models: use an operation"
        if owner.name == "Meta" and _assigns(item, "ordering"):
            yield item.lineno, "no default ordering"


def _assigns(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name


CHECKS: tuple[Check, ...] = (
    lengths,
    model_lookups,
    clocks,
    tasks,
    locks,
    signals,
    hidden_writes,
)


def check_python(path: str, text: str) -> list[Finding]:
    """Everything wrong with one Python file."""
    tree = ast.parse(text)
    return [finding for check in CHECKS for finding in check(path, tree, text)]


def check_template(path: str, text: str) -> list[Finding]:
    """Inline styles and scripts, which the strict CSP would block."""
    return [
        (number, "no inline style, script or handler (strict CSP)")
        for number, line in enumerate(text.splitlines(), 1)
        if _INLINE.search(line)
    ]


def main(folder: Path) -> int:
    """Check all files that git tracks or would track."""
    listed = subprocess.run(  # nosec B603 B607
        ["git", "ls-files", "-co", "--exclude-standard", "*.py", "*.html"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = 0
    for name in listed.stdout.split():
        path = folder / name
        if not path.exists():
            continue
        check = check_python if name.endswith(".py") else check_template
        for line, rule in check(name, path.read_text()):
            print(f"{name}:{line}: {rule}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
