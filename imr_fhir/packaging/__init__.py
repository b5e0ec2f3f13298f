"""The artefacts as a hospital takes them: a FHIR NPM package, Bundles, and pages to read and print."""
