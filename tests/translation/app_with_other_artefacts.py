"""Run as a program in a process of its own, with a copy of the checkout first on its path: the artefacts are read once.

    python -m tests.translation.app_with_other_artefacts FOLDER

Fills in the clinician scale in bokmål, and prints what was on the form and what is in the record.
"""

import json
import sys
from pathlib import Path

from tests.flows.steps import answers, begin, filed, go, new_patient, norsk, text
from tests.running import log_in, running

with running(Path(sys.argv[1])) as run:
    patient = new_patient(run)
    chart = log_in(run, patient=patient)
    form = begin(chart)
    chart.browser.submit(form, chart.at("language"), language="nb")
    shown = chart.browser.get(form.url)
    receipt = go(chart.browser, shown, do="complete", **answers())
    said = {
        "form": text(shown),
        "receipt": text(receipt),
        "mark": norsk("form.translation"),
        "filed": filed(run, patient, "QuestionnaireResponse"),
    }
    print(json.dumps(said))
