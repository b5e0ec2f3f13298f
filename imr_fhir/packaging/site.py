"""The pages as HTML: one a Questionnaire and language, one a profile, and an index. Each file stands by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from imr_fhir.packaging.examples import examples
from imr_fhir.packaging.identity import DESCRIPTION, PACKAGE_ID, PACKAGE_VERSION, REGISTERED, TITLE
from imr_fhir.packaging.profile_page import profile_page
from imr_fhir.packaging.questionnaire_page import questionnaire_page
from imr_fhir.packaging.words import LANGUAGES, NAMES

Resource = Mapping[str, Any]

_KINDS = {
    "Questionnaire": "Questionnaires",
    "profile": "Profiles",
    "Extension": "Extensions",
    "CodeSystem": "Code systems",
    "ValueSet": "Value sets",
}


def pages(resources: Sequence[Resource]) -> dict[str, str]:
    """File name -> HTML of the pages of ``resources``. Raises ArtefactError for a Questionnaire that is not ours."""
    environment = Environment(
        loader=PackageLoader("imr_fhir.packaging"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made = examples()
    value_sets = [each for each in resources if each["resourceType"] == "ValueSet"]
    files = {"index.html": environment.get_template("index.html").render(**_index(resources))}
    for resource in resources:
        if resource["resourceType"] == "Questionnaire":
            for lang in LANGUAGES:
                others = [(each, NAMES[each][each], page_name(resource, each)) for each in LANGUAGES if each != lang]
                files[page_name(resource, lang)] = environment.get_template("questionnaire.html").render(
                    page=questionnaire_page(resource, lang), others=others
                )
        elif resource["resourceType"] == "StructureDefinition":
            files[page_name(resource)] = environment.get_template("profile.html").render(
                page=profile_page(resource, value_sets, made)
            )
    return files


def page_name(resource: Resource, lang: str = "en") -> str:
    """ "Questionnaire-imr-client.html", "Questionnaire-imr-client.nb.html"; "" for what has no page."""
    if resource["resourceType"] not in ("Questionnaire", "StructureDefinition"):
        return ""
    name = f"{resource['resourceType']}-{resource['url'].rsplit('/', 1)[-1]}"
    return f"{name}.html" if lang == "en" else f"{name}.{lang}.html"


def _index(resources: Sequence[Resource]) -> dict[str, Any]:
    groups = {kind: [each for each in resources if _kind(each) == kind] for kind in _KINDS}
    listed = [(title, [_entry(each) for each in groups[kind]]) for kind, title in _KINDS.items()]
    identity = {"title": TITLE, "description": DESCRIPTION, "package": f"{PACKAGE_ID}#{PACKAGE_VERSION}"}
    return {**identity, "registered": REGISTERED, "groups": listed}


def _kind(resource: Resource) -> str:
    if resource["resourceType"] != "StructureDefinition":
        return str(resource["resourceType"])
    return "Extension" if resource["type"] == "Extension" else "profile"


def _entry(resource: Resource) -> dict[str, Any]:
    read_in = LANGUAGES if resource["resourceType"] == "Questionnaire" else ()
    return {
        "title": resource["title"],
        "canonical": f"{resource['url']}|{resource['version']}",
        "description": resource["description"],
        "page": page_name(resource),
        "read_in": [(lang, NAMES[lang][lang], page_name(resource, lang)) for lang in read_in],
        "status": resource["status"] + (", experimental" if resource["experimental"] else ""),
    }
