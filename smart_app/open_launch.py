"""An open launch: what pages may know of it and ask through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import parse_date
from smart_app.config import SiteConfig
from smart_app.places import place_among
from smart_app.state import State, now, state
from smart_app.store.launch import Launch as LaunchRecord
from smart_app.store.launch import Role
from smart_app.tokens import client_of

_RIGHT_AFTER = timedelta(hours=6)  # answering


@dataclass(frozen=True)
class Launch:
    """An open launch: what views and presenters may know of it. ``patient`` is the id of the launch's patient."""

    record: LaunchRecord
    site: SiteConfig
    today: date
    secret: str = field(repr=False)
    _state: State = field(repr=False)

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def role(self) -> Role:
        return self.record.context.role

    @property
    def patient(self) -> str:
        return self.record.context.patient

    @property
    def patient_name(self) -> str:
        return self.record.context.patient_name

    @property
    def birth_date(self) -> date | None:
        return full_date(self.record.context.birth_date)

    @property
    def encounter(self) -> str:
        return self.record.context.encounter

    @property
    def user_key(self) -> str:
        return self.record.user_key

    @property
    def user_name(self) -> str:
        return self.record.context.user_name

    @property
    def fhir_user(self) -> str:
        return self.record.context.fhir_user

    @property
    def language(self) -> str:
        return self.record.context.language

    @property
    def framed(self) -> bool:
        return self.record.context.framed

    @property
    def scopes(self) -> tuple[str, ...]:
        return self.record.tokens.scopes

    @property
    def without_figures(self) -> bool:
        """A patient whose own answers, given alone, are the latest rating of today (the site's day): scores, change and
        gaps wait until a clinician has rated too, or until tomorrow, in whichever browser the app is opened. To who
        answers late in the evening, the minutes after midnight are "right after answering" all the same (rule 20)."""
        if self.role != "patient":
            return False
        morning = datetime.combine(self.today, time.min, self.site.zone)
        since = min(morning, now() - _RIGHT_AFTER)
        saved = self._state.store.filings.of_patient(self.record.owner, since=since)
        ratings = [each.details for each in saved if each.details["kind"] == "response"]
        return bool(ratings) and ratings[-1]["author"] == f"Patient/{self.patient}"

    def client(self) -> FhirClient:
        """The EHR as this user, for this patient; for this request, which has a place among those that wait for it."""
        hospital = self._state.hospitals[self.site.name]
        return client_of(self.record, hospital, self._state.store, self._state.clock, place_among(hospital.places).take)


def full_date(text: str) -> date | None:
    """A FHIR date with year, month and day; None where the record knows less."""
    try:
        return parse_date(text) if len(text) == len("1986-03-12") else None
    except ResourceError:
        return None


def opened(record: LaunchRecord, secret: str) -> Launch:
    """The open launch behind ``record``."""
    site = state().config.sites[record.context.site]
    return Launch(record, site, now().astimezone(site.zone).date(), secret, state())
