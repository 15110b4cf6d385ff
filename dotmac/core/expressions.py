"""Conditions that people write, evaluated without giving them anything to hold.

The language is the part of CEL (Google's implementation, `cel-expr-python`)
that cannot fail, loop or build: comparisons, and/or/not, a choice, `in`, three
tests on texts, `size`, `all`, `exists` and `in_network`. There is no arithmetic,
index, conversion, map or regular expression. So the only error left at run
time is a fact that is missing or of another kind, and that is looked for before
the library is asked: `||` cannot swallow it, and an error never counts as true.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from cel_expr_python import cel

from dotmac.core.addresses import read_address, read_network
from dotmac.core.errors import InvalidInput

SOURCE_BYTES_MAX = 2048
NESTING_MAX = 24
TEXT_CHARACTERS_MAX = 2_000
ITEMS_MAX = 200
PROGRAMS_KEPT = 512
LOOPS_MAX = 4
_INT_MAX = 2**63

_FUNCTIONS = (
    "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_&&_", "_||_", "!_", "_?_:_", "@in",
    "@not_strictly_false", "size", "startsWith", "endsWith", "contains",
)  # fmt: skip
_CONFIG = (
    "name: dotmac\nstdlib:\n  include_macros: [has, all, exists]\n"
    "  include_functions:\n" + "".join(f'    - name: "{name}"\n' for name in _FUNCTIONS)
)


class Kind(StrEnum):
    """What a fact is."""

    TEXT = "text"
    NUMBER = "number"
    DECIMAL = "decimal"
    TRUTH = "truth"
    TEXTS = "texts"


class Verdict(StrEnum):
    """What an expression said; an error is never taken for either answer."""

    TRUE = "true"
    FALSE = "false"
    ERROR = "error"


class ExpressionRefused(InvalidInput):
    """The text is no condition; facts `line` and `column` say where it fails."""

    code = "expression_refused"
    title = "The expression is not valid."


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled condition. `uses` are the facts that it names."""

    source: str
    uses: frozenset[str]
    kinds: Mapping[str, Kind]
    compiled: Any

    def evaluate(self, facts: Mapping[str, Any]) -> Verdict:
        """The verdict on plain facts; a missing or foreign value is an error."""
        given = {}
        for name in self.uses:
            value = _plain(self.kinds[name], facts.get(name))
            if value is None:
                return Verdict.ERROR
            given[name] = value
        try:
            answer = self.compiled.eval(data=given)
        except RuntimeError:
            # Loops within loops used up the library's budget.
            return Verdict.ERROR
        # The library returns other errors as values, and they are truthy.
        if answer.type() != cel.Type.BOOL:
            return Verdict.ERROR
        return Verdict.TRUE if answer.value() is True else Verdict.FALSE

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """True only when the expression is true, without any error."""
        return self.evaluate(facts) is Verdict.TRUE


class Language:
    """The facts that expressions may name, "actor.username" and so on."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = dict(kinds)
        self._environment = cel.NewEnv(
            config=cel.NewEnvConfigFromYaml(_CONFIG),
            variables={name: _TYPES[kind] for name, kind in kinds.items()},
            functions=[_IN_NETWORK],
        )
        self._cached = lru_cache(maxsize=PROGRAMS_KEPT)(self._compile)

    def compile(self, source: str) -> Program:
        """The program; raises ExpressionRefused with line, column and reason."""
        return self._cached(source)

    def _compile(self, source: str) -> Program:
        tokens = read_tokens(source)
        try:
            compiled = self._environment.compile(source)
        except RuntimeError as error:
            raise _refusal(str(error)) from error
        if compiled.return_type() != cel.Type.BOOL:
            raise ExpressionRefused(
                "The expression must be a condition, such as request.hour < 18.",
                field="expression",
                line=1,
                column=1,
            )
        uses = _names_in(tokens) & set(self.kinds)
        return Program(source, frozenset(uses), self.kinds, compiled)


# Facts -----------------------------------------------------------------------

_TYPES = {
    Kind.TEXT: cel.Type.STRING,
    Kind.NUMBER: cel.Type.INT,
    Kind.DECIMAL: cel.Type.DOUBLE,
    Kind.TRUTH: cel.Type.BOOL,
    Kind.TEXTS: cel.Type.List(cel.Type.STRING),
}


def _is_text(value: Any) -> bool:
    # Exactly str: an object that only behaves like one stays outside.
    return type(value) is str and len(value) <= TEXT_CHARACTERS_MAX


def _are_texts(value: Any) -> bool:
    if type(value) is not list or len(value) > ITEMS_MAX:
        return False
    return all(_is_text(item) for item in value)


_CHECKS: dict[Kind, Callable[[Any], bool]] = {
    Kind.TEXT: _is_text,
    Kind.NUMBER: lambda v: type(v) is int and -_INT_MAX <= v < _INT_MAX,
    Kind.DECIMAL: lambda v: type(v) is float and math.isfinite(v),
    Kind.TRUTH: lambda v: type(v) is bool,
    Kind.TEXTS: _are_texts,
}


def _plain(kind: Kind, value: Any) -> Any:
    return value if _CHECKS[kind](value) else None


# Networks --------------------------------------------------------------------


_network = lru_cache(maxsize=1024)(read_network)
_address = lru_cache(maxsize=4096)(read_address)


def _in_network(address: str, network: str) -> bool:
    """Whether the address belongs to the network; the kinds never mix.

    An IPv4 address is one however the listener wrote it.
    """
    try:
        return _address(address) in _network(network)
    except ValueError:
        return False


_IN_NETWORK = cel.FunctionDecl(
    "in_network",
    [
        cel.Overload(
            "in_network_text_text",
            return_type=cel.Type.BOOL,
            parameters=[cel.Type.STRING, cel.Type.STRING],
            impl=_in_network,
        )
    ],
)


# The text before the library sees it -----------------------------------------

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      | (?P<text>[rR]?(?:'(?:[^'\\\n]|\\[^\n])*'|"(?:[^"\\\n]|\\[^\n])*"))
      | (?P<number>\d[\w.]*)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>&&|\|\||[=!<>]=|[!<>?:.,()\[\]-])""",
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    start: int


def read_tokens(source: str) -> list[Token]:
    """The words of the text; raises ExpressionRefused for what no rule needs."""
    if not source.strip():
        raise _at(source, 0, "Write a condition.")
    if len(source.encode()) > SOURCE_BYTES_MAX:
        raise _at(source, 0, f"At most {SOURCE_BYTES_MAX} bytes.")
    tokens = list(_tokens(source))
    _check_nesting(source, tokens)
    _check_lists(source, tokens)
    _check_networks(source, tokens)
    return tokens


def _tokens(source: str) -> Iterator[Token]:
    place = 0
    while place < len(source):
        found = _TOKEN.match(source, place)
        if found is None:
            raise _at(source, place, f"{source[place]!r} has no meaning here.")
        if found.lastgroup != "space":
            yield Token(str(found.lastgroup), found.group(), place)
        place = found.end()


def _check_nesting(source: str, tokens: list[Token]) -> None:
    """Brackets, repeated signs and choices within choices count alike."""
    depth = signs = choices = loops = 0
    for token in tokens:
        signs = signs + 1 if token.text in {"!", "-"} else 0
        depth += (token.text in {"(", "["}) - (token.text in {")", "]"})
        choices += token.text == "?"
        loops += token.text in {"all", "exists"}
        if depth + signs > NESTING_MAX or choices > NESTING_MAX:
            raise _at(source, token.start, f"Nested more than {NESTING_MAX} deep.")
        if loops > LOOPS_MAX:
            raise _at(source, token.start, f"At most {LOOPS_MAX} times all or exists.")


def _check_lists(source: str, tokens: list[Token]) -> None:
    """A list holds texts or numbers of one kind, written out.

    A mixed one would bring values into a loop that cannot be compared.
    """
    inside: list[str] | None = None
    for token in tokens:
        if token.text == "[" and inside is None:
            inside = []
        elif token.text == "]":
            inside = None
        elif inside is not None and token.text != ",":
            kind = (
                f"{token.kind}{'.' in token.text}" if token.kind != "text" else "text"
            )
            if token.kind not in {"text", "number"} or inside[:1] not in ([], [kind]):
                raise _at(source, token.start, "A list holds texts, or numbers.")
            inside.append(kind)


def _check_networks(source: str, tokens: list[Token]) -> None:
    """A network is written out, so that a slip shows when the rule is saved."""
    for number, token in enumerate(tokens):
        if token.text != "in_network":
            continue
        call = tokens[number + 1 : number + 8]
        texts = [inner.text for inner in call]
        shape = texts[:1] + texts[2:3] + texts[4:5] + texts[6:7]
        if shape != ["(", ".", ",", ")"] or call[5].kind != "text":
            raise _at(
                source,
                token.start,
                "Write in_network(request.address, '192.0.2.0/24').",
            )
        try:
            _network(call[5].text[1:-1])
        except ValueError as error:
            raise _at(source, call[5].start, f"No network: {error}.") from error


def _names_in(tokens: list[Token]) -> set[str]:
    """Every dotted name of two parts, whatever stands between the parts."""
    return {
        first.text + "." + last.text
        for first, dot, last in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if first.kind == last.kind == "name" and dot.text == "."
    } | {token.text for token in tokens if token.kind == "name"}


def _at(source: str, place: int, reason: str) -> ExpressionRefused:
    before = source[:place]
    line, column = before.count("\n") + 1, place - before.rfind("\n")
    return _refused(line, column, reason)


_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
_DECIMALS = re.compile(r"applied to '\((double, int|int, double)\)'")


def _refusal(answer: str) -> ExpressionRefused:
    """The library's first complaint, with its place."""
    found = _PLACE.search(answer)
    if found is None:
        return _refused(1, 1, "The expression is too complicated.")
    reason = (
        found[3].replace(" (in container '')", "").removesuffix("[INVALID_ARGUMENT]")
    )
    reason = reason.replace("undeclared reference to", "There is no")
    if _DECIMALS.search(reason):
        reason = "A decimal is compared with a decimal: write 50000.0, not 50000"
    return _refused(int(found[1]), int(found[2]), f"{reason.strip()[:200]}.")


def _refused(line: int, column: int, reason: str) -> ExpressionRefused:
    return ExpressionRefused(
        f"Line {line}, column {column}: {reason}",
        field="expression",
        line=line,
        column=column,
    )
