"""The Questionnaires in form fillers that others wrote, filled in as a person would in Chromium."""
