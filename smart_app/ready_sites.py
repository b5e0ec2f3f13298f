"""The ready settings of ``sites.toml``, for a demo or a test on a sandbox hospital that stands in for that EHR."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

READY = Path(__file__).with_name("sites.toml")

# They name a hospital, or what it gave this app.
_OF_ONE_HOSPITAL = frozenset(
    {
        "organization",
        "phone",
        "iss",
        "client_id",
        "authentication",
        "key_file",
        "client_secret_file",
        "allowed_hosts",
        "extra_headers",
        "frame_ancestors",
        "profiles_loaded",
    }
)


def ready_settings(ehr: str) -> dict[str, Any]:
    """What the EHR's kind decides, by setting, as SiteConfig has it; nothing where ``sites.toml`` has no such table."""
    table: Mapping[str, Any] = tomllib.loads(READY.read_text(encoding="utf-8"))["sites"].get(ehr, {})
    settings = {name: value for name, value in table.items() if name not in _OF_ONE_HOSPITAL}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
