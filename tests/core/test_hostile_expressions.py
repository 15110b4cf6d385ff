"""Expressions that were written to hang, crash, grow or escape."""

import json
import subprocess
import sys

import pytest

from tests.environment import ROOT

pytestmark = [pytest.mark.unit, pytest.mark.security]

DOUBLED = "'" + "a" * 1000 + "'"
NESTED_LOOPS = (
    "actor.roles.all(a, actor.roles.all(b, actor.roles.all(c, "
    "actor.roles.all(d, a + b + c + d != ''))))"
)
SLOW_LOOPS = (
    "actor.roles.all(a, actor.roles.all(b, actor.roles.all(c, "
    "actor.roles.all(d, a != 'x'))))"
)
HOSTILE = [
    # hangs
    SLOW_LOOPS,
    NESTED_LOOPS,
    "[1,2,3].all(a, [1,2,3].all(b, [1,2,3].all(c, [1,2,3].all(d, [1].all(e, true)))))",
    "actor.username.matches('(a+)+$')",
    "matches('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '(a|aa)+$')",
    "'" + "a" * 1900 + "'.matches('(x+x+)+y')",
    "true || " * 1000 + "true",
    "9999999999 ** 9999999999 > 1",
    "1 << 1000000 > 0",
    # memory
    "[1,2,3,4].map(a, [1,2,3,4].map(b, [1,2,3,4].map(c, 'xxxxxxxx'))).size() > 0",
    f"[{DOUBLED}].map(x, x + x).map(x, x + x).map(x, x + x).size() > 0",
    "('x' * 2000000000).size() > 0",
    "'%2000000000d'.format([1]) == ''",
    "bytes('x' + 'x') == b'xx'",
    "lists.range(1000000000).size() > 0",
    "{'a': {'a': {'a': {}}}}.size() == 1",
    # depth
    "(" * 900 + "true" + ")" * 900,
    "[" * 900 + "]" * 900 + " == []",
    "!" * 1999 + "true",
    "-" * 1900 + "1 < 0",
    "a" + ".a" * 900 + " == 1",
    "true ? " * 300 + "true" + " : false" * 300,
    "true" + " == true" * 220,
    "x" * 2048,
    "x" * 2049,
    "actor.roles" + ".all(x, x == '')" * 120,
    # escapes
    "actor.username.__class__ == ''",
    "actor.__class__.__mro__.size() > 0",
    "actor.username.delete()",
    "__import__('os').system('true') == 0",
    "open('/etc/passwd').read() == ''",
    "eval('1') == 1",
    "(lambda: 0)() == 0",
    "[x for x in [1]] == [1]",
    "actor.username.format('{0.__globals__}') == ''",
    "google.protobuf.Any{type_url: 'x'} == null",
    "google.protobuf.Struct{}.size() == 0",
    "google.protobuf.Timestamp{seconds: 9223372036854775807} != null",
    "type(actor.username) == string",
    "cel.bind(x, actor.roles, x.size() > 0)",
    "in_network(request.address, '" + "1" * 1800 + "/8')",
    "in_network('not an address', '10.0.0.0/8')",
    "in_network(request.address, '0.0.0.0/0') && in_network(request.address, '::/0')",
    # odd texts
    "\x00 == 1",
    "'\\ud800' == 'x'",
    "'\\UFFFFFFFF' == 'x'",
    "actor.username == '\u202e'",
    "actor.us\u0435rname == 'ada'",
    "`actor.username` == 'ada'",
    "0x" + "f" * 400 + " == 1",
    "9" * 400 + " == 1",
    "1e" + "9" * 300 + " == 1.0",
    "timestamp('9999-99-99T00:00:00Z') == timestamp('x')",
    "duration('9' + '9') > duration('1s')",
    "1/0 == 1 || true",
    "actor.roles[-1] == 'x' || true",
    "int('x') == 1 || true",
    "'\n' == 'x'",
]


@pytest.fixture(scope="module")
def outcomes():
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.hostile"],
        input=json.dumps(HOSTILE),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
    )
    return dict(zip(HOSTILE, json.loads(done.stdout), strict=True))


def test_there_are_enough_of_them():
    assert len(set(HOSTILE)) == len(HOSTILE) > 50


def test_none_hangs_crashes_grows_or_escapes(outcomes):
    unclean = {
        source[:60]: found
        for source, found in outcomes.items()
        if found[0] not in {"refused", "true", "false", "error"}
        or found[1] > 64
        or found[2] > 2
    }
    assert unclean == {}


def test_nothing_hostile_is_taken_for_a_yes(outcomes):
    allowed = [source[:60] for source, found in outcomes.items() if found[0] == "true"]
    assert allowed == []
