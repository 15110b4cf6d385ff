"""The expressions of rules: what they may say, and that an error never allows."""

import math
import re
import string
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dotmac.core.expressions import (
    NESTING_MAX,
    SOURCE_BYTES_MAX,
    ExpressionRefused,
    Kind,
    Language,
    Verdict,
)

pytestmark = [pytest.mark.unit, pytest.mark.security]
KINDS = {
    "actor.username": Kind.TEXT,
    "actor.roles": Kind.TEXTS,
    "actor.mfa_age_s": Kind.NUMBER,
    "actor.api_key": Kind.TRUTH,
    "request.address": Kind.TEXT,
    "amount.major": Kind.DECIMAL,
    "action": Kind.TEXT,
}
FACTS = {
    "actor.username": "ada",
    "actor.roles": ["owner", "support"],
    "actor.mfa_age_s": 120,
    "actor.api_key": False,
    "request.address": "10.1.2.3",
    "amount.major": 60_000.0,
    "action": "billing.record_payment",
}
LANGUAGE = Language(KINDS)


def say(source, **changed):
    facts = {**FACTS, **{k.replace("__", "."): v for k, v in changed.items()}}
    return LANGUAGE.compile(source).evaluate(facts)


@pytest.mark.parametrize(
    "source",
    [
        "true",
        "actor.username == 'ada'",
        "'owner' in actor.roles && !actor.api_key",
        "actor.roles.exists(r, r.startsWith('sup'))",
        "actor.roles.all(r, size(r) > 4)",
        "amount.major > 50000.0 && actor.mfa_age_s < 300",
        "in_network(request.address, '10.0.0.0/8')",
        'in_network(request.address, "10.1.2.3/32")',
        "!in_network(request.address, '2001:db8::/32')",
        "action == 'billing.record_payment' || action.endsWith('refund')",
        "actor.username in ['ada', 'mina'] // the two of us",
        "actor.api_key ? false : action.contains('record')",
        "actor . mfa_age_s\n  != -1",
    ],
)
def test_what_rules_say(source):
    assert say(source) is Verdict.TRUE
    assert say(f"!({source.split('//', maxsplit=1)[0]})") is Verdict.FALSE


@pytest.mark.parametrize(
    ("address", "network", "inside"),
    [
        ("::ffff:203.0.113.5", "203.0.113.0/24", True),
        ("::ffff:203.0.114.5", "203.0.113.0/24", False),
        ("203.0.113.5", "::ffff:203.0.113.0/120", True),
        ("203.0.113.5", "::ffff:0:0/96", True),
        ("203.0.113.5", "::/0", False),
        ("2001:db8::5", "::/0", True),
        ("2001:db8::5", "0.0.0.0/0", False),
        ("office", "0.0.0.0/0", False),
    ],
)
def test_an_address_is_the_same_however_it_is_written(address, network, inside):
    source = f"in_network(request.address, '{network}')"
    said = say(source, request__address=address)
    assert said is (Verdict.TRUE if inside else Verdict.FALSE)


@pytest.mark.parametrize(
    ("source", "line", "column", "words"),
    [
        ("", 1, 1, "Write a condition"),
        ("actor.nickname == 'x'", 1, 6, "There is no 'actor.nickname'"),
        ("true &&\n  customer.id == 4", 2, 11, "There is no 'customer.id'"),
        ("amount.major > 50000", 1, 14, "write 50000.0"),
        ("actor.mfa_age_s < 'x'", 1, 17, "no matching overload"),
        ("actor.username", 1, 1, "must be a condition"),
        ("actor.username = 'x'", 1, 16, "has no meaning here"),
        ("actor.mfa_age_s + 1 > 2", 1, 17, "has no meaning here"),
        ("actor.roles[0] == 'x'", 1, 12, "There is no '_[_]'"),
        ("[1, 'a'].exists(x, x == 1)", 1, 5, "A list holds"),
        ("[actor.username] == ['a']", 1, 2, "A list holds"),
        ("true && (false", 1, 15, "Syntax error"),
        ("in_network(request.address, '10.0.0.1/8')", 1, 29, "No network"),
        ("in_network(request.address, 'office')", 1, 29, "No network"),
        ("in_network(actor.username)", 1, 1, "Write in_network"),
        ("in_network(request.address, actor.username)", 1, 1, "Write in_network"),
        ("actor.username.matches('a+')", 1, 23, "There is no 'matches'"),
        ("actor.roles.map(r, r) == []", 1, 17, "There is no"),
        ("actor.roles.filter(r, r == 'a') == []", 1, 20, "There is no"),
        ("string(actor.mfa_age_s) == '1'", 1, 7, "There is no 'string'"),
        ("dyn(actor.username) == 1", 1, 4, "There is no 'dyn'"),
        ("'unfinished", 1, 1, "has no meaning here"),
    ],
)
def test_a_mistake_is_named_where_it_stands(source, line, column, words):
    with pytest.raises(ExpressionRefused, match=re.escape(words)) as refusal:
        LANGUAGE.compile(source)
    facts = refusal.value.facts
    assert (facts["line"], facts["column"]) == (line, column)
    assert refusal.value.field == "expression"


def test_length_and_nesting_are_bounded():
    longest = "true || " * 255 + "true"
    assert len(longest) <= SOURCE_BYTES_MAX
    assert say(longest) is Verdict.TRUE
    for source in (
        longest + " || true",
        "(" * (NESTING_MAX + 1) + "true" + ")" * (NESTING_MAX + 1),
        "!" * (NESTING_MAX + 1) + "true",
        "true ? true : " * (NESTING_MAX + 1) + "false",
        " && ".join(["actor.roles.exists(r, r == 'a')"] * 5),
    ):
        with pytest.raises(ExpressionRefused):
            LANGUAGE.compile(source)


class Row:
    """What an ORM object looks like: it answers to anything."""

    touched = False

    def __getattr__(self, name):
        Row.touched = True
        return "ada"

    def __eq__(self, other):
        Row.touched = True
        return True

    __hash__ = None  # type: ignore[assignment]


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value", [Row(), Text("ada"), None, b"ada", 1, ["ada"], {"a": 1}, "x" * 5000]
)
def test_only_plain_facts_come_in(value):
    Row.touched = False  # pytest looked at it for its name
    assert say("actor.username == 'ada'", actor__username=value) is Verdict.ERROR
    assert Row.touched is False


@pytest.mark.parametrize("value", [True, 1.0, 2**63, "5", None])
def test_a_number_is_a_number(value):
    assert say("actor.mfa_age_s < 300", actor__mfa_age_s=value) is Verdict.ERROR


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 5, True, None])
def test_a_decimal_is_finite(value):
    assert say("amount.major < 300.0", amount__major=value) is Verdict.ERROR


@pytest.mark.parametrize("value", [("a",), ["a", 1], ["a"] * 500, {"a"}, "a"])
def test_a_list_of_texts_is_one(value):
    assert say("size(actor.roles) >= 0", actor__roles=value) is Verdict.ERROR


def test_programs_are_kept_and_work_in_many_threads():
    first = LANGUAGE.compile("actor.username == 'ada'")
    assert LANGUAGE.compile("actor.username == 'ada'") is first
    with ThreadPoolExecutor(8) as pool:
        said = pool.map(lambda _: first.evaluate(FACTS), range(4000))
    assert set(said) == {Verdict.TRUE}


def test_a_program_knows_which_facts_it_needs():
    program = LANGUAGE.compile("actor . username == 'a' || amount.major > 1.0")
    assert program.uses == {"actor.username", "amount.major"}


# An error never allows -------------------------------------------------------

ATOMS = {
    "actor.username": "actor.username == 'ada'",
    "actor.roles": "'owner' in actor.roles",
    "actor.mfa_age_s": "actor.mfa_age_s < 300",
    "actor.api_key": "!actor.api_key",
    "request.address": "in_network(request.address, '10.0.0.0/8')",
    "amount.major": "amount.major > 50000.0",
    "action": "action.startsWith('billing.')",
}
conditions = st.recursive(
    st.sampled_from([*ATOMS.values(), "true", "false"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        inner.map(lambda part: f"!({part})"),
        st.tuples(inner, inner, inner).map(
            lambda p: f"({p[0]} ? {p[1]} : {p[2]})"
        ),
    ),
    max_leaves=8,
)  # fmt: skip
foreign = st.one_of(
    st.none(), st.integers(), st.floats(), st.booleans(), st.binary(),
    st.dictionaries(st.text(), st.integers()),
)  # fmt: skip


@given(conditions, st.dictionaries(st.sampled_from(sorted(KINDS)), foreign))
@example("(true || actor.username == 'ada')", {"actor.username": None})
@example("!(actor.api_key && false)", {"actor.api_key": "yes"})
def test_a_fact_that_is_missing_or_foreign_never_allows(source, spoilt):
    try:
        program = LANGUAGE.compile(source)
    except ExpressionRefused:
        return  # nested too deep
    facts = {name: spoilt.get(name, value) for name, value in FACTS.items()}
    whole = all(_fits(name, facts[name]) for name in program.uses)

    verdict = program.evaluate(facts)

    assert (verdict is Verdict.ERROR) == (not whole)
    assert program.holds(facts) == (verdict is Verdict.TRUE)
    if verdict is Verdict.ERROR:
        assert LANGUAGE.compile(f"({source}) || true").holds(facts) is False


def _fits(name, value):
    wanted = {
        Kind.TEXT: lambda v: type(v) is str,
        Kind.NUMBER: lambda v: type(v) is int and abs(v) < 2**63,
        Kind.DECIMAL: lambda v: type(v) is float and math.isfinite(v),
        Kind.TRUTH: lambda v: type(v) is bool,
        Kind.TEXTS: lambda v: type(v) is list,
    }
    return wanted[KINDS[name]](value)


@given(st.text(alphabet=string.printable, max_size=200))
def test_any_text_is_a_condition_or_a_refusal(source):
    refusal = None
    try:
        LANGUAGE.compile(source).evaluate(FACTS)
    except ExpressionRefused as error:
        refusal = error
    assert refusal is None or min(refusal.facts.values()) >= 1
