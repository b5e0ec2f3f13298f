"""Timing for the benchmarks: several runs of one thing, median kept; figures are compared only within one run."""

import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Line:
    """One row of RESULTS.md. ``goal`` is the design's, in words; ``met``: whether it was, None where none is set."""

    what: str
    figure: str
    goal: str
    met: bool | None

    @property
    def verdict(self) -> str:
        return "" if self.met is None else "yes" if self.met else "**no**"

    def __str__(self) -> str:
        return f"{self.what}: {self.figure} ({self.goal}{self.verdict and ': '}{self.verdict})"


def median_seconds(work: Callable[[], object], *, runs: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median of ``runs`` after one run that does not count; ``clock`` may be ``time.process_time`` for CPU time."""
    work()
    times = []
    for _ in range(runs):
        begun = clock()
        work()
        times.append(clock() - begun)
    return statistics.median(times)


@dataclass(frozen=True)
class Used:
    """What a process used: seconds, of CPU, and the most memory in MB."""

    wall: float
    cpu: float
    memory: int

    def __str__(self) -> str:
        return f"{self.wall:.1f} s, CPU {self.cpu:.1f} s, peak {self.memory} MB"


def used(python: str | Path, program: str, *words: str) -> Used:
    """By a process of its own, that runs ``program`` with ``words`` as its arguments."""
    begun = time.perf_counter()
    script = f"import atexit, os, sys; atexit.register({_TELL}); {program}"
    ran = subprocess.run([python, "-c", script, *words], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(
            f"{program} {words} ended with {ran.returncode}:\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}"
        )
    cpu, memory = ran.stderr.split()[-2:]
    return Used(time.perf_counter() - begun, float(cpu), int(memory))


# Not ru_maxrss, which begins with what the process that started this one has in its memory.
_PEAK = "open('/proc/self/status').read().partition('VmHWM:')[2].split()[0]"
_TELL = f"lambda: print(sum(os.times()[:4]), int({_PEAK}) // 1024, file=sys.stderr)"


def medians(runs: list[Used]) -> Used:
    wall, cpu, memory = (statistics.median(getattr(each, name) for each in runs) for name in ("wall", "cpu", "memory"))
    return Used(wall, cpu, round(memory))
