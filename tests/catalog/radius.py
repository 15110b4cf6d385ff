"""A RADIUS server on the test's own database, for the check of provisioning."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from django.utils import timezone

from apps.network import operations as network
from tests.conformance import isp
from tests.environment import ROOT

START_S = 30
CARRY = """
import django; django.setup()
from apps.catalog.tasks import run_provisioning
run_provisioning(job_id={job_id})
"""


@contextmanager
def listening(kind, folder, settings):
    """Run the server, point this process and its children to it."""
    env = isp.server_environment(
        os.environ["RADIUS_DATABASE_URL"], Path(os.environ["DOTMAC_TEST_FOLDER"])
    )
    network.ensure_platform_nas(now=timezone.now())
    server = isp.start_server(kind, folder, env, isp.SECRET)
    settings.RADIUS_AUTH_PORT = server.client.auth_port
    os.environ["RADIUS_AUTH_PORT"] = str(server.client.auth_port)
    try:
        deadline = time.monotonic() + START_S
        while network.check_access(login="?", password="?").silent:
            assert server.child.is_alive, server.child.log.read_text()[-2000:]
            assert time.monotonic() < deadline
        yield server
    finally:
        os.environ.pop("RADIUS_AUTH_PORT", None)
        server.child.stop()


def start_worker(job_id, folder):
    """Another process that carries the job, as a Celery worker would."""
    with (folder / f"worker-{job_id}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", CARRY.format(job_id=job_id)],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "dotmac.settings.test"},
            stdout=log,
            stderr=log,
        )
