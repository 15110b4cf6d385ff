import io

import pytest
from django.core.management import CommandError, call_command

from apps.ops import selectors
from dotmac.core import invariants

pytestmark = pytest.mark.integration


@pytest.fixture
def broken_invariant():
    invariants.register(
        invariants.Invariant(
            name="tests.broken", says="Nothing is wrong.", sql="SELECT 42 AS answer"
        )
    )
    yield
    invariants._INVARIANTS.pop("tests.broken")


@pytest.fixture
def installation(own_database):
    """What a start makes before anybody works: the operator's unit and the roles."""
    call_command("sync_roles", stdout=io.StringIO())


@pytest.mark.usefixtures("broken_invariant", "installation")
def test_finds_and_shows_what_is_broken(capsys):
    with pytest.raises(CommandError, match="invariants fail"):
        call_command("check_integrity")

    out = capsys.readouterr().out
    assert "tests.broken: BROKEN (1 rows)" in out
    assert '{"answer": 42}' in out
    first = selectors.latest_integrity_results()[0]
    assert (first.name, first.offending) == ("tests.broken", 1)


@pytest.mark.usefixtures("installation")
def test_an_empty_installation_holds_every_invariant(capsys):
    assert selectors.latest_integrity_results() == []
    call_command("check_integrity")
    assert "invariants hold" in capsys.readouterr().out
