"""The chart: a list of patients, a page for each, and the two ways to open the application from it."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from . import records
from .faults import FAULTS
from .hospital import Hospital, the_hospital
from .launches import Launch
from .words import LANGUAGES, language_of, words

chart = Blueprint("chart", __name__)

FEW = 20


@chart.get("/")
def patients() -> str:
    """``?q=`` the beginning of a name."""
    wanted = request.args.get("q", "").strip()
    query = urlencode({"name": wanted}) if wanted else ""
    return _page("patients.html", people=records.people(the_hospital(), "Patient", query), wanted=wanted)


@chart.get("/chart/<patient>")
def record(patient: str) -> str:
    """``?open=frame`` shows the application inside; ``?user=`` who is logged in, ``?fault=`` (repeatable) faults."""
    hospital = the_hospital()
    person = _patient(hospital, patient)
    framed = request.args.get("open") == "frame"
    filed = records.filed(hospital, patient)
    return _page(
        "chart.html",
        person=person,
        user=_user(person),
        frame_url=_launch_url(hospital, person) if framed else "",
        courses=records.lines(hospital, "EpisodeOfCare", f"patient={patient}&_sort=-date"),
        conditions=records.lines(hospital, "Condition", f"patient={patient}&clinical-status=active")[:FEW],
        encounters=records.lines(hospital, "Encounter", f"patient={patient}&_sort=-date")[:6],
        filed=filed if request.args.get("all") else filed[:FEW],
        filed_count=len(filed),
        faults=FAULTS,
        chosen=_faults(),
    )


@chart.get("/chart/<patient>/launch")
def launch(patient: str) -> BaseResponse:
    """Opens the application in this tab."""
    hospital = the_hospital()
    return redirect(_launch_url(hospital, _patient(hospital, patient)))


@chart.get("/chart/<patient>/resource/<resource_type>/<resource_id>")
def resource(patient: str, resource_type: str, resource_id: str) -> str:
    """A resource of this patient's record, as it is stored."""
    hospital = the_hospital()
    stored = hospital.store.read(resource_type, resource_id)
    if stored is None or stored.patient != patient:
        raise NotFound
    return _page("resource.html", person=_patient(hospital, patient), stored=stored, text=records.pretty(stored))


@chart.get("/record/<resource_type>/<resource_id>")
def record_of(resource_type: str, resource_id: str) -> BaseResponse:
    """The same page, for who knows the resource only: the application's receipts link here."""
    stored = the_hospital().store.read(resource_type, resource_id)
    if stored is None or not stored.patient:
        raise NotFound
    page = url_for("chart.resource", patient=stored.patient, resource_type=resource_type, resource_id=resource_id)
    return redirect(page)


@chart.app_errorhandler(404)
def missing(_: Exception) -> tuple[str, int]:
    return _page("missing.html"), 404


@chart.after_request
def _policy(reply: Response) -> Response:
    """The application may be framed and opened from here; nothing may frame the chart."""
    app = urlsplit(the_hospital().config.app_launch_url)
    origin = f"{app.scheme}://{app.netloc}"
    reply.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; frame-src {origin} 'self'; form-action 'self' {origin}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    reply.headers["Cache-Control"] = "no-store"
    return reply


def _page(template: str, **values: Any) -> str:
    language = language_of(request)
    kept = {name: request.args[name] for name in ("user", "lang") if name in request.args}
    return render_template(
        f"hospital/{template}",
        w=words(language),
        ehr=the_hospital().config.ehr,
        language=language,
        languages=LANGUAGES,
        users=records.users(the_hospital()),
        other_language=lambda each: urlencode({**request.args, "lang": each}),
        link=lambda endpoint, **more: url_for(f"chart.{endpoint}", **{**kept, **more}),
        **values,
    )


def _user(person: records.Person) -> str:
    """Who is logged in: ``?user=``, else the patient's own clinician."""
    known = (*records.USERS, records.THE_PATIENT)
    return next((each for each in (request.args.get("user"), person.practitioner) if each in known), known[0])


def _faults() -> tuple[str, ...]:
    return tuple(name for name in FAULTS if name in request.args.getlist("fault"))


def _patient(hospital: Hospital, patient: str) -> records.Person:
    person = records.person(hospital, "Patient", patient)
    if person is None:
        raise NotFound
    return person


def _launch_url(hospital: Hospital, person: records.Person) -> str:
    encounter = records.open_encounter(hospital, person.id)
    user = records.user_reference(_user(person), person.id)
    told = Launch(user=user, patient=person.id, encounter=encounter, faults=_faults())
    query = urlencode({"iss": hospital.config.fhir_base, "launch": hospital.launch(told)})
    return f"{hospital.config.app_launch_url}?{query}"
