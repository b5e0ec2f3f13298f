"""What the package calls itself."""

from imr_fhir.artefacts import VERSION

PACKAGE_ID = "imr.fhir"
TITLE = "IMR on FHIR"
DESCRIPTION = (
    "The IMR Scales of Illness Management and Recovery as Questionnaires, with their codes, and profiles for answers, "
    "scores, recovery goals and reviews."
)
FHIR_VERSION = "4.0.1"
LICENSE = "Apache-2.0"  # SPDX

# https://w3id.org/imr-fhir is to be registered before the first release: until then a package is a prerelease.
REGISTERED = False
PACKAGE_VERSION = VERSION if REGISTERED else f"{VERSION}-draft"
