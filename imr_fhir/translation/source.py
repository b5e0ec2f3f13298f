"""The Questionnaire to translate, and the CodeSystem that goes with it: packaged ones, or files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from imr_fhir import artefacts
from imr_fhir.ehr.json_reader import read_json
from imr_fhir.errors import ArtefactError, NotJson

Resource = dict[str, Any]


def questionnaire_named(name: str) -> Resource:
    """ "client", "clinician", or a file. Raises ArtefactError."""
    if name in ("client", "clinician"):
        return artefacts.questionnaire(name)
    if not Path(name).is_file():
        raise ArtefactError(
            f"There is no Questionnaire {name!r}.", next_step="Name client, clinician, or a file that holds one."
        )
    return _of_type(Path(name), "Questionnaire")


def questionnaire_at(url: str) -> Resource:
    """The packaged Questionnaire of the canonical ``url``. Raises ArtefactError where there is none."""
    found = _packaged("Questionnaire", url)
    if found is None:
        raise ArtefactError(
            f"No Questionnaire {url} is packaged.", next_step="Name the file that holds it, with --questionnaire."
        )
    return found


def code_system_for(questionnaire: Resource, file: Path | None) -> Resource:
    """That of the answers to ``questionnaire``: in ``file``, else the packaged one of the same version.

    Raises ArtefactError where it is another one, or none.
    """
    codings = list(_answers(questionnaire.get("item", ())))
    if not codings:
        raise ArtefactError(
            f"{questionnaire.get('url')} has no coded answers.", next_step="Name a Questionnaire of the IMR Scales."
        )
    url, version = str(codings[0]["system"]), str(codings[0].get("version"))
    found = _of_type(file, "CodeSystem") if file else _packaged("CodeSystem", url)
    if found is None or (found.get("url"), found.get("version")) != (url, version):
        there = f"{found.get('url')}|{found.get('version')}" if found else "nothing"
        raise ArtefactError(
            f"The answers of {questionnaire.get('url')} are of {url}|{version}, and here is {there}.",
            next_step="Name the file of that CodeSystem with --code-system.",
        )
    return found


def _packaged(resource_type: str, url: str) -> Resource | None:
    found = (each for each in artefacts.artefact_resources() if each["resourceType"] == resource_type)
    return next((each for each in found if each["url"] == url), None)


def _of_type(file: Path, resource_type: str) -> Resource:
    try:
        resource = read_json(file.read_bytes())
    except NotJson as fault:
        raise ArtefactError(f"{file} can't be read. {fault.message}", next_step="Save it as JSON in UTF-8.") from fault
    there = resource.get("resourceType") if isinstance(resource, dict) else None
    lacking = [name for name in ("id", "url", "version") if isinstance(resource, dict) and name not in resource]
    if there != resource_type or lacking:
        what = f"has no {', '.join(lacking)}" if there == resource_type else f"holds {there or 'no resource'}"
        raise ArtefactError(f"{file} {what}.", next_step=f"Name a whole {resource_type}.")
    found: Resource = resource
    return found


def _answers(items: Iterable[Any]) -> Iterable[dict[str, Any]]:
    for item in items:
        yield from (each["valueCoding"] for each in item.get("answerOption", ()) if "valueCoding" in each)
        yield from _answers(item.get("item", ()))
