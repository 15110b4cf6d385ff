"""RADIUS: where it listens, what it writes, and how long the network remembers."""

from __future__ import annotations

import os

from dotmac.settings import env
from dotmac.settings.places import STATE_DIR

RADIUS_HOST = env.text("RADIUS_HOST", "127.0.0.1")
# Further addresses on which RADIUS listens, such as ::1 or ::.
RADIUS_MORE_HOSTS = [
    host for host in env.text("RADIUS_MORE_HOSTS", "").split(",") if host
]
RADIUS_AUTH_PORT = env.number("RADIUS_AUTH_PORT", 1812)
RADIUS_ACCT_PORT = env.number("RADIUS_ACCT_PORT", 1813)
# RADIUS inside TLS (RFC 6614), where there is a certificate; 0 for none.
RADIUS_RADSEC_PORT = env.number("RADIUS_RADSEC_PORT", 2083)
# Networks in which NASes are; FreeRADIUS listens to no other source. By default those
# that no stranger of the internet sends from: loopback, RFC 1918, RFC 4193, link-local.
RADIUS_NETWORKS = env.text(
    "RADIUS_NETWORKS",
    "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1/128,fc00::/7,fe80::/10",
).split(",")
# Threads, each with a session of PostgreSQL: more than cores, because a commit waits for
# the disk; not many more, because each session has all its plans to itself and the
# processor's caches hold few of them (decision 0072).
RADIUS_THREADS = env.number(
    "RADIUS_THREADS", max(4, 2 * len(os.sched_getaffinity(0))), least=1
)
RADIUS_DATABASE_URL = env.address("RADIUS_DATABASE_URL", "")
# `direct`: an Accounting-Request is answered when PostgreSQL has it; `buffered`: when a
# file in that folder has it, and run_accounting_replay brings it into PostgreSQL.
RADIUS_ACCOUNTING = env.text(
    "RADIUS_ACCOUNTING", "direct", choices=("direct", "buffered")
)
RADIUS_BUFFER_DIR = env.path("RADIUS_BUFFER_DIR", str(STATE_DIR / "accounting"))
# The snapshots with which sites go on when they are cut off, and their keys.
RADIUS_SNAPSHOTS_DIR = env.path("RADIUS_SNAPSHOTS_DIR", str(STATE_DIR / "snapshots"))
# How long the network remembers: past sessions and hours of usage by calendar
# months, what NASes were asked by days.
NETWORK_KEEP_SESSIONS_MONTHS = env.number("NETWORK_KEEP_SESSIONS_MONTHS", 24, least=2)
NETWORK_KEEP_USAGE_MONTHS = env.number("NETWORK_KEEP_USAGE_MONTHS", 24, least=2)
NETWORK_KEEP_REQUESTS_DAYS = env.number("NETWORK_KEEP_REQUESTS_DAYS", 90, least=1)
# Where the RADIUS server leaves what it decided, for a worker to read, and how much
# of it at most when none does.
RADIUS_DECISIONS_DIR = env.path("RADIUS_DECISIONS_DIR", str(STATE_DIR / "decisions"))
RADIUS_DECISIONS_MAX_MB = env.number("RADIUS_DECISIONS_MAX_MB", 512, least=1)
# The authority that phones on a Wi-Fi trust, and the server's certificate.
RADIUS_CERTIFICATES_DIR = env.path(
    "RADIUS_CERTIFICATES_DIR", str(STATE_DIR / "radius-certificates")
)
DATABASE_RADIUS_ROLE = env.text("DATABASE_RADIUS_ROLE", "radius")
