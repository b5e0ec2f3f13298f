"""Lives with IMR for the sandbox hospital: read from their files, told as FHIR, filed as a backend service."""

from smart_app.stories.seeding import backend_client, seed
from smart_app.stories.story import Story, stories
from smart_app.stories.telling import Setting, parts

__all__ = ["Setting", "Story", "backend_client", "parts", "seed", "stories"]
