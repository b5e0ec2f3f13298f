"""The strings of a Questionnaire to a table for translators, and back into the artefacts."""
