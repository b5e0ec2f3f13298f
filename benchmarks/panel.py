"""The panel for 40 responses and 10 goals: the app's own CPU time, wall time against its slowest read, weight."""

import gzip
import itertools
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from benchmarks.apart import HospitalApart
from benchmarks.life import file_life
from benchmarks.measure import Line
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.resource_cache import ResourceCache
from smart_app.serving import settle_memory
from smart_app.state import state_of
from tests.running import Chart, Running, log_in, running

PATIENT = "nora-vik"
VIEWS = 60
SLOW_VIEWS = 8
GZIP_LEVEL = 4  # the app's own


class Meter:
    """CPU time of the app's own threads: those that answer requests, and those that read from the EHR for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.cpu = 0.0
        self.reads: list[float] = []

    def add(self, cpu: float, read: float | None = None) -> None:
        with self._lock:
            self.cpu += cpu
            if read is not None:
                self.reads.append(read)

    def around(self, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        def measured(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            begun = time.thread_time()
            try:
                return app(environ, start_response)
            finally:
                self.add(time.thread_time() - begun)

        return measured

    def take(self) -> tuple[float, list[float]]:
        with self._lock:
            taken = self.cpu, self.reads
            self.cpu, self.reads = 0.0, []
            return taken


@contextmanager
def reads_metered(meter: Meter) -> Iterator[None]:
    """Each search and read of the FHIR client adds its thread's CPU time and its own wall time."""
    originals = {name: getattr(FhirClient, name) for name in ("read", "search")}

    def metered(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            cpu, wall = time.thread_time(), time.perf_counter()
            try:
                return original(*args, **options)
            finally:
                meter.add(time.thread_time() - cpu, time.perf_counter() - wall)

        return call

    for name, original in originals.items():
        setattr(FhirClient, name, metered(original))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(FhirClient, name, original)


def lines() -> Iterator[Line]:
    meter = Meter()
    with TemporaryDirectory() as folder, running(Path(folder), start=HospitalApart) as run:
        file_life(run, PATIENT, occasions=20, goals=10)
        settle_memory()  # as `imr-app serve` does once it is up
        run.app.wsgi_app = meter.around(run.app.wsgi_app)  # type: ignore[method-assign]
        with reads_metered(meter):
            yield from _cpu(run, meter)
            yield _wall(run, meter)
        yield _weight(log_in(run, patient=PATIENT))


def _cpu(run: Running, meter: Meter) -> Iterator[Line]:
    """Views of what the EHR answers as it did a quarter of an hour ago at most: of the same occasion, and of another
    than the last time, whose page is worked out anew; and the first view, which knows of no text what it says."""
    chart = log_in(run, patient=PATIENT)
    median = _median(meter, lambda: chart.browser.get(chart.url))
    yield Line("panel, 40 responses and 10 goals: the app's own CPU time", f"{median * 1000:.1f} ms at the median",
               "under 15 ms", median < 0.015)  # fmt: skip
    keys = re.findall(r'<option value="([^"]+)"', chart.browser.get(chart.url).text)
    turns = itertools.cycle(f"{chart.url}?{urlencode({'occasion': key})}" for key in keys)
    another = _median(meter, lambda: chart.browser.get(next(turns)))
    yield Line("the same at another occasion than the last time", f"{another * 1000:.1f} ms at the median",
               "to compare", None)  # fmt: skip
    first = _median(meter, lambda: chart.browser.get(chart.url), before=lambda: _forget(run))
    yield Line("the same where nothing of the chart was read in the last 15 minutes", f"{first * 1000:.1f} ms at the "
               "median", "to compare", None)  # fmt: skip


def _forget(run: Running) -> None:
    for hospital in state_of(run.app).hospitals.values():
        hospital.cache = ResourceCache()


def _median(meter: Meter, view: Callable[[], object], *, before: Callable[[], object] = lambda: None) -> float:
    spent = []
    for _ in range(VIEWS):
        before()
        meter.take()
        view()
        spent.append(meter.take()[0])
    return statistics.median(spent[5:])


def _wall(run: Running, meter: Meter) -> Line:
    """A page that nobody waits for beside it: one read after another would make five times the slowest."""
    chart = log_in(run, patient=PATIENT, faults=("delay-200ms",))
    ratios = []
    for _ in range(SLOW_VIEWS):
        meter.take()
        begun = time.perf_counter()
        chart.browser.get(chart.url)
        wall = time.perf_counter() - begun
        ratios.append(wall / max(meter.take()[1]))
    ratio = statistics.median(ratios)
    return Line("panel on an EHR that takes 200 ms a read: wall time against the slowest read", f"{ratio:.2f} times",
                "under 1.3 times", ratio < 1.3)  # fmt: skip


def _weight(chart: Chart) -> Line:
    page = chart.browser.get(chart.url)
    linked = re.findall(r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"', page.text)
    addresses = [urljoin(page.url, address) for address in linked]
    foreign = [address for address in addresses if urlsplit(address).netloc != urlsplit(page.url).netloc]
    wire = len(gzip.compress(page.content, GZIP_LEVEL))
    for address in addresses:
        wire += len(gzip.compress(chart.browser.get(address).content, GZIP_LEVEL))
    return Line("panel with its styles and script on the wire, gzip", f"{wire / 1000:.1f} kB, {len(foreign)} requests "
                "to other hosts", "60 kB at most, none", wire <= 60_000 and not foreign)  # fmt: skip
