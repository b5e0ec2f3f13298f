"""`make bench`: measures everything in one run and writes RESULTS.md."""

import os
import platform
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from benchmarks import export, form, load, panel, report, rules, tables, validate
from benchmarks.measure import Line

RESULTS = Path(__file__).parent / "RESULTS.md"
ALL: tuple[Callable[[], Iterable[Line]], ...] = (
    rules.lines, panel.lines, form.lines, validate.lines, tables.lines, report.lines, load.lines,
    export.lines,
)  # fmt: skip

HEAD = """# How fast

Written by `make bench`; each figure is the median of several runs in one process, on an otherwise idle machine.
Compare figures of one run only: another machine gives others.

- Scores and rules: pure Python, one core, generated ratings.
- Panel: the app in one process, the sandbox hospital in another, on loopback. CPU time is that of the app's own
  threads: those that answer the request and those that read from the EHR for it. It asks the EHR for everything each
  time; of views one after the other all but the first know what most of its texts say (`ehr/resource_cache.py`), and
  the row below is of views that know none. The slow EHR delays each reply.
- Form: Chromium, headless, from the start of the navigation to the end of DOMContentLoaded, when its script has run.
  The figures for LHC-Forms 40.1 and Smart Forms 1.4 were measured earlier on a machine of this kind; they load 3.3 and
  7.4 MB.
- Tables: generated responses of 3 kB, two threads, CPU time, the least of 7, 4 and 4 runs by turns with hand-written
  SQL: the same file, settings and rows in the same order. It counts no lines, and tells of none that can't be counted.
- Report: generated responses of both raters, 20 occasions a patient; a process of its own.
- Export: both tools by command line in processes of their own, by turns, on the same HAPI and data: 200 generated
  patients, of the types that smart-fetch knows (no QuestionnaireResponse, Goal, Provenance or AuditEvent); medians of
  three, `$export` once. smart-fetch, pinned, comes from PyPI into `.tools`, without its gzip and with our search for
  Observations. It writes what it gets; ours checks each resource, and lets out what is on a list, under pseudonyms.
- Validate: NDJSON in memory, without Java; each finding with its line, path and sentence.

"""


def main() -> None:
    found = []
    for lines in ALL:
        for line in lines():
            print(line, flush=True)
            found.append(line)
    rows = [f"| {line.what} | {line.figure} | {line.goal} | {line.verdict} |" for line in found]
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    made = f"{date.today():%d %B %Y}, {machine}.\n\n"
    table = "\n".join(["| what | figure | asked for | met |", "|---|---|---|---|", *rows])
    RESULTS.write_text(f"{HEAD}{made}{table}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
