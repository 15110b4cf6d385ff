import json
import logging

import pytest
import structlog

from dotmac.core.telemetry import (
    configure_logging,
    mask,
    new_request_id,
    request_id_var,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("postgresql://app:hunter2@host/db", "postgresql://app:***@host/db"),
        ('{"password": "hunter2"}', '{"password": "***"}'),
        ("token=abc&x=1", "token=***&x=1"),
        ("nothing here", "nothing here"),
    ],
)
def test_hides_secrets_in_texts(text, shown):
    assert mask(text) == shown


def test_hides_secrets_by_name_however_deep():
    assert mask(
        {"user": "ada", "otp": "123456", "inner": [{"api_key": "x", "n": 1}]}
    ) == {
        "user": "ada",
        "otp": "***",
        "inner": [{"api_key": "***", "n": 1}],
    }


def test_takes_harmless_request_ids_only():
    assert new_request_id("abcdef-123456") == "abcdef-123456"
    assert len(new_request_id("bad\nid; DROP")) == 32


@pytest.fixture
def _logging_as_it_was():
    yield
    configure_logging("WARNING")


@pytest.mark.usefixtures("_logging_as_it_was")
def test_a_log_line_is_one_line_of_json_without_secrets(capsys):
    configure_logging("WARNING")  # binds to the standard error of this moment
    token = request_id_var.set("req-12345678")
    try:
        structlog.get_logger("tests").warning(
            "sign_in", password="hunter2", note="two\nlines"
        )
        logging.getLogger("tests").warning("url postgresql://a:hunter2@h/d")
    finally:
        request_id_var.reset(token)
    first, second = capsys.readouterr().err.strip().splitlines()
    assert "hunter2" not in first + second
    assert json.loads(first)["request_id"] == "req-12345678"
    assert json.loads(first)["note"] == "two\nlines"


HOSTILE = [
    '\n{"level": "info", "event": "forged"}',
    "\r\nforged line",
    "\x1b[2J\x1b[31mred",
    "\u2028 and \u2029 and \x85",
    "\x00\x07\x08",
    '"}\n{"event": "forged"',
]


@pytest.mark.usefixtures("_logging_as_it_was")
@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_send_cannot_forge_a_line(capsys, text):
    configure_logging("WARNING")
    structlog.get_logger("tests").warning("sign_in" + text, name=text, inner={text: 1})
    logging.getLogger("tests").warning("path %s", text, extra={"agent": text})

    said = capsys.readouterr().err
    lines = said.strip().splitlines()
    assert len(lines) == 2
    assert [json.loads(line)["level"] for line in lines] == ["warning", "warning"]
    assert json.loads(lines[0])["name"] == text
    assert json.loads(lines[1])["agent"] == text
    assert all(" " <= character <= "~" for character in said.replace("\n", ""))


@pytest.mark.usefixtures("_logging_as_it_was")
def test_an_exception_is_one_line_with_its_secrets_masked(capsys):
    configure_logging("WARNING")
    try:
        raise ValueError("cannot reach postgresql://app:hunter2@db/x\nnext: token=abc")
    except ValueError:
        logging.getLogger("tests").exception("failed", extra={"cookie": "hunter2"})

    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "hunter2" not in line
    assert "token=***" in json.loads(line)["exception"]


@pytest.mark.usefixtures("_logging_as_it_was")
def test_an_object_is_masked_like_a_text(capsys, rf):
    configure_logging("WARNING")
    request = rf.get("/api/v1/customers?token=hunter2")
    logging.getLogger("django.request").warning("no", extra={"request": request})

    said = capsys.readouterr().err
    assert "hunter2" not in said
    assert "/api/v1/customers?token=***" in json.loads(said)["request"]
