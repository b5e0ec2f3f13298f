"""The FHIR NPM package (https://hl7.org/fhir/packages.html): package.json, an index a folder, a file a resource.

Profiles go without snapshots, as they are written: HAPI, Firely and the validator make them on installing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from imr_fhir import artefacts
from imr_fhir.ehr.json_writer import write_file
from imr_fhir.packaging.archive import tgz
from imr_fhir.packaging.guide import implementation_guide
from imr_fhir.packaging.identity import (
    DESCRIPTION,
    FHIR_VERSION,
    LICENSE,
    PACKAGE_ID,
    PACKAGE_VERSION,
    REGISTERED,
    TITLE,
)

# Of a resource, what .index.json tells of it (its version 2).
_INDEXED = ("resourceType", "id", "url", "version", "kind", "type", "supplements", "content", "derivation")

Resources = Iterable[Mapping[str, Any]]


def npm_package(resources: Resources, examples: Resources, views: Resources) -> bytes:
    """The .tgz of our artefacts, examples and ViewDefinitions, the same for the same."""
    resources, examples = tuple(resources), tuple(examples)
    guide = implementation_guide(resources, examples)
    files = {
        "package/package.json": write_file(_manifest(guide["date"])),
        **_folder("package", (guide, *resources)),
        **_folder("package/example", examples),
        # No resource of R4, so an installer must not meet it in the package's own folder.
        **{f"package/other/ViewDefinition-{view['name']}.json": write_file(view) for view in views},
    }
    return tgz(files)


def _manifest(date: str) -> dict[str, Any]:
    return {
        "name": PACKAGE_ID,
        "version": PACKAGE_VERSION,
        "title": TITLE,
        "description": DESCRIPTION,
        "canonical": artefacts.BASE,
        "url": artefacts.BASE,
        "type": "fhir.ig",
        "fhirVersions": [FHIR_VERSION],
        "date": f"{date.replace('-', '')}000000",
        # Not SDC's package, whose extensions the Questionnaires carry: none is needed to install or to fill them in,
        # and an installer that fetches dependencies would have to reach a registry.
        "dependencies": {"hl7.fhir.r4.core": FHIR_VERSION},
        "author": "IMR on FHIR",
        "license": LICENSE,
        "keywords": ["FHIR", "IMR", "Illness Management and Recovery", "Questionnaire"],
        "directories": {"lib": "package", "example": "example"},
        **({} if REGISTERED else {"notForPublication": True}),
    }


def _folder(folder: str, resources: Resources) -> dict[str, bytes]:
    """The resources as files of ``folder``, by name, after their index."""
    named = sorted((f"{resource['resourceType']}-{resource['id']}.json", resource) for resource in resources)
    index = {
        "index-version": 2,
        "files": [
            {"filename": name, **{key: resource[key] for key in _INDEXED if isinstance(resource.get(key), str)}}
            for name, resource in named
        ],
    }
    return {
        f"{folder}/.index.json": write_file(index),
        **{f"{folder}/{name}": write_file(resource) for name, resource in named},
    }
