"""The demonstration's cast: whatever the day, each kind of subscriber is there.

What a loaded demonstration holds is shown by tests/journeys/test_demonstration.py.
"""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from dotmac.core.actors import system_actor
from dotmac.core.periods import add_months
from dotmac.devtools.credentials import FreeNas
from dotmac.devtools.demo import loading
from dotmac.devtools.demo.customers import Habit, Member
from dotmac.devtools.demo.network import Ground
from dotmac.devtools.demo.story import MONTHS, Story
from scripts.launch import DEMO_MAX, DEMO_MIN, main

pytestmark = pytest.mark.unit
LAGOS = ZoneInfo("Africa/Lagos")
FIRST_DAY = date(2026, 11, 1)


def wishes(today, count):
    """Who joins when, of a demonstration that is loaded at noon of that day."""
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    ground = Ground(free_nas=FreeNas(address="127.0.0.1", secret="", coa_port=0))
    dice = random.Random(loading.SEED)
    story = Story(ground, system_actor("test"), LAGOS, now, dice)
    story.write(count, add_months(today.replace(day=1), 1 - MONTHS))
    joins = (getattr(act, "args", ()) for _, _, act in story._queue)
    found = [args[0] for args in joins if args]
    return sorted(found, key=lambda wish: wish.number)


@pytest.mark.parametrize("count", [DEMO_MIN, 50])
def test_each_kind_is_there_whatever_the_day(count):
    for days in range(0, 366, 3):
        today = FIRST_DAY + timedelta(days=days)
        found = wishes(today, count)
        assert len(found) == count, today
        # Billed a whole month before the last, and unpaid since: cut off by now.
        before = add_months(today.replace(day=1), -1)
        stopped = [wish for wish in found if wish.habit == Habit.STOPPED]
        assert any(wish.joined_at.date() < before for wish in stopped), today
        members = [Member(w.number, 0, 0, w.habit, w.joined_at) for w in found]
        settled = loading._settled(members)
        blocked = {member.number for member in settled[-loading.BLOCKED :]}
        assert blocked, today
        # Of those who pay, one is shown and one is left to the simulator.
        paying = [
            wish.number
            for wish in found
            if wish.habit in {Habit.PUNCTUAL, Habit.AHEAD}
            and wish.number not in blocked
        ]
        assert len(paying) >= 2 * (count // loading.SIMULATED_SHARE), today


def test_too_small_a_demonstration_is_refused_with_a_sentence(capsys, settings):
    assert loading.COUNT_MIN == DEMO_MIN
    for wrong in (-1, 1, DEMO_MIN - 1, DEMO_MAX + 1):
        with pytest.raises(SystemExit) as refused:
            main(["--demo", str(wrong)])
        assert refused.value.code == 2
        assert "--demo is 0 for none, or between 10 and 5000" in capsys.readouterr().err
    settings.DEMO = True
    with pytest.raises(CommandError, match="at least 10 customers"):
        call_command("load_demo", "--customers", "9")
