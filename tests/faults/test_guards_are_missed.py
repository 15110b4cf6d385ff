"""Each named guard of each app, taken away in turn, turns a test red."""

import pytest

from tools import plant_faults
from tools.faults.table import GUARDS

pytestmark = pytest.mark.faults
APPS = sorted({guard.app for guard in GUARDS})


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("app", APPS)
def test_every_guard_is_missed_by_a_test(app, capsys):
    with capsys.disabled():
        assert plant_faults.main(["--app", app]) == 0
