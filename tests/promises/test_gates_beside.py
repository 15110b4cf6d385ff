"""What the gates of .ci/run said is told by the run that they stood beside."""

from __future__ import annotations

import threading
import time

from tests.reporting import gates_said


def test_what_they_said_is_told_once_and_taken_away(tmp_path):
    said = tmp_path / "said"
    said.write_text("  ✗ lint (0 s)\nGates shut: lint\n")
    assert gates_said(said) == "  ✗ lint (0 s)\nGates shut: lint"
    assert not said.exists(), ".ci/run would tell it a second time"


def test_gates_that_are_not_done_are_waited_for(tmp_path):
    def say():
        time.sleep(0.2)
        (tmp_path / "saying").write_text("All gates are open.\n")
        (tmp_path / "saying").rename(tmp_path / "said")

    gates = threading.Thread(target=say)
    gates.start()
    assert gates_said(tmp_path / "said") == "All gates are open."
    gates.join()


def test_gates_that_hang_keep_no_result_of_the_tests_back(tmp_path):
    words = gates_said(tmp_path / "said", patience_s=0.1)
    assert words == "The gates are not done: what they say comes after the tests."
