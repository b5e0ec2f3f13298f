"""Timing for the benchmarks: several runs of one thing, median kept; figures are compared only within one run."""

import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One row of RESULTS.md. ``goal`` is the design's, in words; ``met`` whether this run met it."""

    what: str
    figure: str
    goal: str
    met: bool


def median_seconds(work: Callable[[], object], *, runs: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median of ``runs`` after one run that does not count; ``clock`` may be ``time.process_time`` for CPU time."""
    work()
    times = []
    for _ in range(runs):
        begun = clock()
        work()
        times.append(clock() - begun)
    return statistics.median(times)


def peak_mb() -> int:
    """Most memory that this process has had: Linux's getrusage() would tell its parent's where that had more."""
    (found,) = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="utf-8"), re.MULTILINE)
    return int(found) // 1024
