"""What a record holds twice, or says of two: counted once, and the second one told; numbers that are no UUID tell
nothing of two."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from imr_fhir.reporting.making_report import Made
from tests.reporting.comparing import differences
from tests.reporting.making import DAY, ZONE, exported, report_of
from tests.reporting.recomputed import recompute
from tests.reporting.test_odd_input import changed

Resource = dict[str, Any]
PEOPLE = 25


def report_with(folder: Path, name: str, more: Callable[[list[Resource]], list[Resource]]) -> Made:
    """Of an export in which the file of type ``name`` has ``more`` lines, made of those of no test patient."""
    added: list[Resource] = []
    changed(exported(PEOPLE, folder), name, lambda lines: added.extend(json.loads(json.dumps(more(lines)))))
    with (folder / f"{name}-00001.ndjson").open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(each)}\n" for each in added)
    return report_of(folder)


def again(resource: Resource, **more: Any) -> Resource:
    return {**resource, "id": f"{resource['id']}-b", **more}


def test_an_episode_twice_has_each_pair_once(tmp_path: Path) -> None:
    """An interface that sent it a second time: two courses, and one person's answers beside each other once."""

    def more(lines: list[Resource]) -> list[Resource]:
        return [again(each) for each in lines if each["status"] == "active"]

    made = report_with(tmp_path, "EpisodeOfCare", more)
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []
