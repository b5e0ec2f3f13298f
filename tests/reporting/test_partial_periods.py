"""A course whose first or last day the record gives as a month or a year alone."""

from pathlib import Path

from tests.reporting.making import exported, report_of
from tests.reporting.test_odd_input import Resource, changed

WHOLE = [
    {"start": "2025-03-01", "end": "2026-02-28"},
    {"start": "2025-01-01", "end": "2025-12-31"},
    {"start": "2024-02-01", "end": "2024-02-29"},
]
PARTIAL = [
    {"start": "2025-03", "end": "2026-02"},
    {"start": "2025", "end": "2025"},
    {"start": "2024-02", "end": "2024-02"},
]


def counted(folder: Path, periods: list[dict[str, str]]) -> object:
    def change(lines: list[Resource]) -> None:
        for place, episode in enumerate(lines):
            episode["period"] = periods[place % len(periods)]
            episode["statusHistory"] = [{"status": "onhold", "period": periods[(place + 1) % len(periods)]}]

    folder.mkdir()
    changed(exported(12, folder), "EpisodeOfCare", change)
    report = report_of(folder).report
    return report.counted.counts, report.left_out.counts


def test_it_begins_with_the_first_day_and_ends_with_the_last_as_on_the_panel(tmp_path: Path) -> None:
    assert counted(tmp_path / "partial", PARTIAL) == counted(tmp_path / "whole", WHOLE)
