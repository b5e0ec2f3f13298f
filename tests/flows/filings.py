"""Steps and looks that the tests of filing share."""

from datetime import timedelta

import requests

from tests.flows import steps
from tests.flows.steps import filed, go
from tests.running import Chart, Running

ONCE = {"responses": 1, "scores": 1, "told": 1}
NOTHING = {"responses": 0, "scores": 0, "told": 0}


def act(chart: Chart, page: requests.Response, do: str, reason: str = "") -> requests.Response:
    return go(chart.browser, page, do=do, reason=reason)


def buttons(page: requests.Response) -> set[str]:
    return {each.partition('"')[0] for each in page.text.split('name="do" value="')[1:]}


def let_time_pass(run: Running, seconds: int) -> None:
    """By the app's clock, and by the database's, which lost replies and waits go by."""
    run.clock.ahead += timedelta(seconds=seconds)
    with run.store.writing() as connection:
        for column in ("lost_at", "not_before"):
            connection.exec_driver_sql(f"UPDATE filing SET {column} = {column} - {seconds * 1000}")


def count(run: Running, patient: str) -> dict[str, int]:
    responses = filed(run, patient, "QuestionnaireResponse")
    told = sum(len(steps.told_of(run, each)) for each in responses)
    return {"responses": len(responses), "scores": len(filed(run, patient, "Observation")), "told": told}


def writes(run: Running) -> list[str]:
    return [each for each in run.asked if each.startswith(("POST /fhir", "PUT /fhir"))]
