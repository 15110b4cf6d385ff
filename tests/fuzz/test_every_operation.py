"""Requests made from the description, well-formed and not: never an error of ours.

schemathesis makes them, FUZZ_EXAMPLES for each operation (1,000 unless set), half
of them by what the description says and half against it. The owner sends them with
a fresh second factor, so they get as far as a request can; every second one that
names an object names one that is there. Each is rolled back, once PostgreSQL has
been asked whether it could have been committed.
"""

import json
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis
import yaml
from django.db import connection
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from dotmac.gateway.versions import changes
from dotmac.gateway.versions.shapes import shape_for
from tests.promises import access_bed as bed_of
from tests.promises.test_access_matrix import OWN_SNAPSHOT, kind_of

pytestmark = [pytest.mark.timeout(3600)]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1000"))
DOCS = Path(__file__).resolve().parents[2] / "docs"


@cache
def operations():
    """By label, such as "GET /api/v1/customers": all of v1, and of v2 what differs."""
    found: dict[str, Any] = {}
    for name in ("openapi.yaml", "openapi-v2.yaml"):
        described = yaml.safe_load((DOCS / name).read_text())
        schema = schemathesis.openapi.from_dict(described)
        for read in schema.get_all_operations():
            assert isinstance(read, Ok), read
            version, rest = read.ok().path.removeprefix(changes.ROOT).split("/", 1)
            if version == "v1" or shape_for(version, rest):
                found[read.ok().label] = read.ok()
    return found


LABELS = sorted(
    label
    for label in operations()
    if (label.split()[0], label.split("/", 3)[3]) != OWN_SNAPSHOT
)


def requests_of(operation, bed):
    """Half as described and half not; half of those with a key, with a real one."""
    keys = real_keys(operation.path, bed)
    return st.sampled_from(
        [(mode, path) for mode in GenerationMode for path in (None, keys)]
    ).flatmap(
        lambda choice: operation.as_strategy(choice[0], path_parameters=choice[1])
    )


def real_keys(path, bed):
    """The keys of objects that are there, for the names within the address."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    if not names:
        return None
    shelf = path.removeprefix("/api/v1/").removeprefix("/api/v2/").split("/{")[0]
    kind = kind_of(shelf)
    key = bed.whole.get(kind) or bed.of["chidi"].get(kind)
    return dict.fromkeys(names, key) if key else None


def send(client, case):
    """What the case says, as a program would put it on the wire."""
    words = case.as_transport_kwargs(base_url="http://testserver")
    headers = {
        name: value.encode("latin-1", "replace").decode("latin-1")
        for name, value in (words.get("headers") or {}).items()
        if name.lower() not in {"authorization", "user-agent", "content-type"}
    }
    body = words.get("data", b"")
    if words.get("json") is not None or isinstance(body, dict | list):
        body = json.dumps(words.get("json", body))
    return client.generic(
        case.method,
        words["url"].removeprefix("http://testserver"),
        body or b"",
        content_type=case.media_type or "application/json",
        query_params=words.get("params") or None,
        headers=headers,
    )


@pytest.mark.parametrize("label", LABELS)
def test_no_request_is_an_error_of_ours(bed, label, record_property):
    client = bed_of.api_of(bed, "ada")
    told: Counter[int] = Counter()
    with bed_of.standing() as undo, bed_of.decided_only():

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=requests_of(operations()[label], bed))
        def each(case):
            note(case.as_curl_command())
            try:
                answer = send(client, case)
                if case.method != "GET" and answer.status_code < 400:
                    # As a commit would: foreign keys are looked at then, and not before.
                    connection.check_constraints()
            finally:
                undo()  # or the next one would fail of this one's error
            told[answer.status_code] += 1
            assert answer.status_code < 500 or answer.status_code == 503

        each()
    assert 429 not in told, f"{told}: the limits answered instead"
    record_property("answers", dict(told))
