"""The ImplementationGuide that says what is in the package."""

from collections.abc import Iterable, Mapping
from typing import Any

from imr_fhir import artefacts
from imr_fhir.packaging.identity import DESCRIPTION, FHIR_VERSION, LICENSE, PACKAGE_ID, PACKAGE_VERSION, TITLE

GUIDE = f"{artefacts.BASE}/ImplementationGuide/{PACKAGE_ID}"


def implementation_guide(
    resources: Iterable[Mapping[str, Any]], examples: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """The ImplementationGuide of ``resources`` (our artefacts) and ``examples``. Its date is the newest artefact's."""
    resources = tuple(resources)
    return {
        "resourceType": "ImplementationGuide",
        "id": PACKAGE_ID,
        "language": "en",
        "url": GUIDE,
        "version": PACKAGE_VERSION,
        "name": "ImrOnFhir",
        "title": TITLE,
        "status": "draft",
        "experimental": True,
        "date": max(resource["date"] for resource in resources),
        "publisher": resources[0]["publisher"],
        "description": DESCRIPTION,
        "packageId": PACKAGE_ID,
        "license": LICENSE,
        "fhirVersion": [FHIR_VERSION],
        "definition": {
            "resource": [*map(_artefact, resources), *map(_example, examples)],
            "page": {"nameUrl": "index.html", "title": TITLE, "generation": "html"},
        },
    }


def _artefact(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_listed(resource),
        "name": resource["title"],
        "description": resource["description"],
        "exampleBoolean": False,
    }


def _example(resource: Mapping[str, Any]) -> dict[str, Any]:
    listed = {**_listed(resource), "name": f"Example: {resource['id'].removeprefix('example-')}"}
    profiles = resource["meta"].get("profile")
    return {**listed, "exampleCanonical": profiles[0]} if profiles else {**listed, "exampleBoolean": True}


def _listed(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {"reference": {"reference": f"{resource['resourceType']}/{resource['id']}"}}
