"""All that `imr-fhir package` makes, in memory: what is written is whole."""

from imr_fhir import artefacts
from imr_fhir.ehr.json_writer import write_file
from imr_fhir.packaging.bundles import KINDS, bundle
from imr_fhir.packaging.examples import examples
from imr_fhir.packaging.identity import PACKAGE_ID, PACKAGE_VERSION
from imr_fhir.packaging.npm import npm_package
from imr_fhir.packaging.site import pages

PACKAGE_FILE = f"{PACKAGE_ID}-{PACKAGE_VERSION}.tgz"


def contents() -> dict[str, bytes]:
    """Path below the chosen folder -> content."""
    resources = artefacts.artefact_resources()
    return {
        PACKAGE_FILE: npm_package(resources, examples(), artefacts.view_definitions()),
        **{f"Bundle-{kind}.json": write_file(bundle(kind, resources)) for kind in KINDS},
        **{f"pages/{name}": text.encode() for name, text in pages(resources).items()},
    }
