"""docs/ehrs.md: what the app does with each kind of EHR, as the whole flow on each of them came out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from imr_fhir.ehr.ladder import LADDERS, Artefact
from tests.ehrs.flow import Result

DOCUMENT = Path(__file__).parents[2] / "docs" / "ehrs.md"

NAMES = {
    "generic": "A generic R4 server (HAPI, Medplum, Aidbox, Azure, Google)",
    "epic": "Epic",
    "oracle-health": "Oracle Health",
    "meditech": "MEDITECH",
    "openemr": "OpenEMR",
    "dips": "DIPS",
    "observation-only": "A server that has Observations only",
}
RUNGS = {
    "form": "a form (QuestionnaireResponse)",
    "components": "one measurement (Observation with components)",
    "members": "measurements under one heading (Observation with members)",
    "flat": "a figure each in the site's own codes (Observation)",
    "text": "a text document (DocumentReference)",
    "pdf": "a PDF (DocumentReference)",
    "goal": "goals (Goal)",
    "note": "notes (Observation)",
    "provenance": "in the record (Provenance) and the app's log",
    "event": "in the record (AuditEvent) and the app's log",
    "app": "in the app's own log",
    "print": "kept in the app to be printed",
}
REASONS = {
    "not-offered": "the EHR does not offer it",
    "no-scope": "the scopes do not allow it",
    "refused-before": "the EHR refused it lately",
    "never": "the site's settings keep the app from it",
    "other-shape": "the site keeps measurements in another shape",
    "no-codes": "the site gave no codes for it",
    "no-encounter": "the launch had no encounter",
    "no-pdf": "the extra `pdf` is not installed",
}
ARTEFACTS: dict[Artefact, str] = {
    "answers": "answers",
    "score": "score",
    "goal": "goals and steps",
    "review": "reviews, what helps and hinders",
    "audit": "who wrote what",
    "events": "who looked and when",
}
ACTS = {
    "rate": "The clinician rates",
    "hand over": "The patient answers, handed the screen",
    "goal": "A goal with a step and what helps is set",
    "review": "A goal is reviewed, a step added",
    "correct": "A rating is corrected",
    "withdraw": "A rating is withdrawn",
    "without an encounter": "The same rating, launched without an encounter",
    "refused": "A rating where the plan was wrong: refused, then down the ladder by a press each",
}
INTRODUCTION = """\
# What the app does with each kind of EHR

Rendered from runs of the whole flow on the sandbox, which refuses what each of these refuses, with the ready settings
of `smart_app/sites.toml`: `python -m tests.ehrs` writes this page, and a test fails when it has gone stale. The
runs set `allow_unverified_clinician_scale = true` too: without it, as in the ready settings, only the patient's answers
are filed.

At launch the app works out where each thing can be kept: CapabilityStatement, granted scopes, the site's settings, and
what was refused in the last seven days. The best open rung of each ladder is taken, and said on the panel and on each
form before anyone types:

{ladders}

What an EHR refuses although it said that it takes it goes a rung lower by the person's press, under the same
identifier; the lowest rung keeps it in the app to be printed, with a plain "not saved in the record", until a person
ends it. What is kept so, all of it or what was refused beside the rest, is offered again as soon as the record may take
it. Ratings are read back from forms, else from measurements in any of the three shapes; of one rating that is there as
both, the form counts. A document is listed with its date, is an answer to what was due that day, and is counted
nowhere; at hand-back its answers are looked through as any other's, for as long as the app still has them. A correction
or withdrawal changes what stands where it stands; where the EHR lets an app change nothing, it is kept to be printed
with its reason, and the page says so before anyone types. The correction of a document is another that replaces it: the
old one is marked as superseded where the EHR lets the app do so, else the page and the receipt name it. What a document
holds is read back from its address where the EHR shows it apart, as a Binary (Epic, Oracle Health).
"""


def rendered(results: Iterable[Result]) -> str:
    ladders = "\n".join(
        f"- **{ARTEFACTS[artefact]}**: {'; else '.join(RUNGS[rung.name] for rung in ladder)}"
        for artefact, ladder in LADDERS.items()
    )
    parts = [INTRODUCTION.format(ladders=ladders)]
    for result in results:
        parts.append("\n".join(_of(result)))
    return "\n".join(parts)


def _of(result: Result) -> Iterator[str]:
    yield f"## {NAMES[result.ehr]}\n"
    yield "| | kept as | not kept as |\n|---|---|---|"
    for artefact in LADDERS:
        yield f"| {ARTEFACTS[artefact]} | {RUNGS[result.rungs[artefact]]} | {_passed_over(result, artefact)} |"
    together = "in one transaction" if result.plan.in_transaction else "one by one, each part after those it refers to"
    yield f"\nSent {together}. The panel says:\n"
    yield "\n".join(f"> {line}  " for line in result.said)
    yield "\n| act | the receipt says | in the record |\n|---|---|---|"
    for act in result.acts:
        there = ", ".join(f"{count} {name}" for name, count in act.written.items()) or "nothing"
        yield f"| {ACTS[act.name]} | {act.page or 'there is nothing to change'} | {there} |"
    yield ""


def _passed_over(result: Result, artefact: Artefact) -> str:
    """The better rungs by why each is closed."""
    by_reason: dict[str, list[str]] = {}
    for rung, reason in result.plan.ladders[artefact].items():
        if rung == result.rungs[artefact]:
            break
        by_reason.setdefault(REASONS[reason], []).append(RUNGS[rung].partition(" (")[0])
    return "; ".join(f"{', '.join(rungs)}: {reason}" for reason, rungs in by_reason.items())
