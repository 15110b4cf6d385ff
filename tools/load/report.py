"""What a run of load found, as numbers, as JSON and as a few lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tools.bench.cpu import percentile
from tools.load.packets import NAMES
from tools.load.plan import Request

KEPT = 20


@dataclass
class Tally:
    """One kind of packet.

    `lost` got no answer in time; `late` are those of them that were answered after
    all. `unexpected` were answered with another code than the right one. `codes`
    counts answers in time.
    """

    sent: int = 0
    lost: int = 0
    late: int = 0
    unexpected: int = 0
    repeated_sends: int = 0
    repeated_answers: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    took_ns: list[int] = field(default_factory=list)

    def took_ms(self, share: float) -> float | None:
        """From the first sending to the answer; None where nothing was answered."""
        return percentile(self.took_ns, share) / 1e6 if self.took_ns else None

    def facts(self) -> dict[str, Any]:
        """As the JSON has it."""
        return {
            "sent": self.sent,
            "answered": sum(self.codes.values()),
            "codes": {NAMES.get(code, str(code)): n for code, n in self.codes.items()},
            "lost": self.lost,
            "late": self.late,
            "unexpected": self.unexpected,
            "repeated_sends": self.repeated_sends,
            "repeated_answers": self.repeated_answers,
            "latency_ms": _percentiles(self.took_ns, 1e6),
        }


@dataclass
class Results:
    """A whole run.

    `foreign` datagrams answer no request of ours or are not signed with the secret.
    `lateness` is the generator's own: seconds from when a packet was due to when it
    was sent. Where it is not far below the latencies, the run was not open loop.
    """

    kinds: dict[str, Tally] = field(default_factory=dict)
    lateness: list[float] = field(default_factory=list)
    kept: list[dict[str, str]] = field(default_factory=list)
    foreign: int = 0
    not_sent: int = 0
    seconds: float = 0.0
    generator_s: float = 0.0

    def of(self, kind: str) -> Tally:
        """The tally of a kind, made when first named."""
        return self.kinds.setdefault(kind, Tally())

    def keep(self, request: Request, code: int) -> None:
        """Remember some answers that were not right, for whoever looks into it."""
        if len(self.kept) < KEPT:
            answer = NAMES.get(code, str(code))
            kept = {"kind": request.kind, "login": request.login, "answer": answer}
            self.kept.append(kept)

    @property
    def sent(self) -> int:
        return sum(tally.sent for tally in self.kinds.values())

    @property
    def answered(self) -> int:
        return sum(sum(tally.codes.values()) for tally in self.kinds.values())

    @property
    def lost(self) -> int:
        return sum(tally.lost for tally in self.kinds.values())

    @property
    def repeated_sends(self) -> int:
        return sum(tally.repeated_sends for tally in self.kinds.values())

    @property
    def unexpected(self) -> int:
        """Answers with another code, and datagrams that answer nothing of ours."""
        return self.foreign + sum(tally.unexpected for tally in self.kinds.values())

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0

    def facts(self) -> dict[str, Any]:
        """Everything, ready for JSON. Milliseconds and seconds say so."""
        return {
            "sent": self.sent,
            "answered": self.answered,
            "lost": self.lost,
            "late": sum(tally.late for tally in self.kinds.values()),
            "unexpected": self.unexpected,
            "foreign": self.foreign,
            "not_sent": self.not_sent,
            "seconds": round(self.seconds, 3),
            "answers_per_s": round(self.rate, 1),
            "generator_lateness_ms": _percentiles(self.lateness, 1e-3),
            "generator_cpu_s": round(self.generator_s, 3),
            "unexpected_kept": self.kept,
            "kinds": {kind: tally.facts() for kind, tally in self.kinds.items()},
        }

    def text(self) -> str:
        """For a person."""
        lines = [
            f"{self.sent} sent, {self.answered} answered in {self.seconds:.1f} s "
            f"({self.rate:.0f}/s), {self.lost} lost, {self.unexpected} unexpected"
        ]
        for kind, tally in self.kinds.items():
            took = tally.facts()["latency_ms"]
            shown = ", ".join(f"{name} {value} ms" for name, value in took.items())
            lines.append(f"  {kind}: {tally.sent} sent, {tally.lost} lost; {shown}")
        late = _percentiles(self.lateness, 1e-3)
        shown = ", ".join(f"{name} {value} ms" for name, value in late.items())
        lines.append(f"  the generator was late by {shown or 'nothing: no schedule'}")
        lines += [f"  unexpected: {kept}" for kept in self.kept]
        return "\n".join(lines)


def _percentiles(values: list[Any], unit: float) -> dict[str, float]:
    """p50, p99 and the highest; nothing where nothing was measured."""
    if not values:
        return {}
    shares = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        name: round(percentile(values, share) / unit, 3)
        for name, share in shares.items()
    }
