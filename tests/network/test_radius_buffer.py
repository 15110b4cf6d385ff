"""Lines of accounting in files: what is written is read, and what was cut costs itself."""

from __future__ import annotations

import os
import stat
import time

import pytest

from apps.network.radius import buffer
from apps.network.radius.buffer import Buffer, NotWritten
from apps.network.radius.database import AccountingFacts, encoded

pytestmark = pytest.mark.unit
HOSTILE = [
    b"", b"ada", b"\"'`%{User-Name}\\", b"!|end|!", b"\0\xff\n\r", b"x" * 253, "ü|é".encode(),
]  # fmt: skip


def record(session: bytes = b"s1", **facts: str) -> AccountingFacts:
    values = {
        "status": "Start", "login": encoded(b"ada"), "nas": "127.0.0.1",
        "session": encoded(session), "received": "1795804938", "client": "nas-1", **facts,
    }  # fmt: skip
    return AccountingFacts(**values)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_gives_back_what_went_in(text):
    told = record(
        session=text, login=encoded(text), mac=encoded(text), circuit=encoded(text),
        event="1795804937", delay="3", octets_in="7", prefix="2001:db8::/64",
        cause="User-Request",
    )  # fmt: skip

    line = buffer.line(told)

    assert line.count("\n") == 1
    assert buffer.parsed(line) == told


def test_a_record_that_was_cut_anywhere_costs_no_other():
    cut, whole = buffer.line(record(b"cut")), buffer.line(record(b"whole"))
    for length in range(len(cut) - 1):
        assert buffer.parsed(cut[:length] + "\n") is None
        assert buffer.parsed(cut[:length] + whole) == record(b"whole")


@pytest.mark.parametrize(
    ("event", "delay", "at"),
    [
        ("", "", ""),
        ("", "0", ""),
        ("", "30", "1795804908"),
        ("1795800000", "30", "1795800000"),
        ("", "1234567", ""),
        ("", "-3", ""),
    ],
)
def test_a_delay_counts_where_the_nas_has_no_clock(event, delay, at):
    found = buffer.parsed(buffer.line(record(event=event, delay=delay)))

    assert found is not None
    assert found.event == at


def test_what_is_no_record_is_none():
    assert buffer.parsed("") is None
    assert buffer.parsed(buffer.line(record(received="yesterday"))) is None
    assert buffer.parsed(buffer.line(record()).replace("!|", "!|1|")) is None


def test_records_lie_in_private_files_of_ten_seconds(tmp_path):
    folder = tmp_path / "spool"
    store = Buffer(folder)
    for received in ("1795804938", "1795804939", "1795804940"):
        store.write(record(received=received))

    paths = buffer.files(folder)
    assert [path.name for path in paths] == ["179580493.acct", "179580494.acct"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert [len(path.read_text().splitlines()) for path in paths] == [2, 1]
    over = 1795804940 + buffer.SETTLED_S
    assert buffer.is_settled(paths[0], clock=over + 1)
    assert not buffer.is_settled(paths[0], clock=over)
    assert not buffer.is_settled(paths[1], clock=over + 1)
    assert buffer.is_settled(paths[1])


def test_what_a_full_disk_does_not_take_is_not_written(tmp_path, monkeypatch):
    store = Buffer(tmp_path)
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:10]))
    with pytest.raises(NotWritten):
        store.write(record(b"cut"))
    monkeypatch.undo()
    store.write(record(b"whole"))

    lines, _ = buffer.read(buffer.files(tmp_path)[0], 0, 10)
    assert [buffer.parsed(line) for line in lines] == [record(b"whole")]
    tmp_path.chmod(0o700)
    (tmp_path / "179580493.acct").unlink()
    (tmp_path / "179580493.acct").mkdir()
    with pytest.raises(NotWritten):
        store.write(record())


def test_reading_goes_on_where_it_ended_and_waits_for_the_end_of_a_line(tmp_path):
    path = tmp_path / "1.acct"
    path.write_text("one\ntwo\nthr")

    assert buffer.read(path, 0, 1) == (["one\n"], 4)
    assert buffer.read(path, 4, 5) == (["two\n"], 8)
    assert buffer.read(path, 8, 5) == ([], 8)


def test_the_queue_is_what_the_replay_has_not_taken(tmp_path):
    assert buffer.queue(tmp_path / "none") == buffer.Queue(0, None)
    old, new = tmp_path / "100.acct", tmp_path / "200.acct"
    old.write_text("x" * 40)
    new.write_text("y" * 2)
    (tmp_path / "refused").write_text("no file of the queue")

    assert buffer.queue(tmp_path) == buffer.Queue(42, 1000)
    buffer.note_progress(tmp_path, {old: 40})
    assert buffer.queue(tmp_path) == buffer.Queue(2, 2000)
    buffer.note_progress(tmp_path, {old: 40, new: 2})
    assert buffer.queue(tmp_path) == buffer.Queue(0, None)
    assert time.time() - (tmp_path / buffer.PROGRESS).stat().st_mtime < 60
