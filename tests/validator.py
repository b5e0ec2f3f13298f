"""The FHIR validator as a service: what it finds wrong with a resource, less what it gets wrong by itself."""

import json
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import requests

_ALLOWED = Path(__file__).parent / "validator_allow.toml"
_FIRST_RESOURCE = 180  # seconds; it reads R4's definitions then

# A response to a form that it does not know is valid to it, with this remark: to us nothing was checked.
_NOT_CHECKED = "Questionnaire_QR_Q_NotFound"


class Validator:
    """``origin``: where the service answers, e.g. http://127.0.0.1:8291."""

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def validate(self, resource: Mapping[str, Any], *, profile: str = "") -> list[str]:
        """What is wrong with ``resource``, a sentence each; none where it is valid.

        It is checked against R4, the profiles that it claims in ``meta``, and ``profile`` (a URL) where one is given.
        """
        if profile:
            claimed = [*resource.get("meta", {}).get("profile", []), profile]
            resource = {**resource, "meta": {**resource.get("meta", {}), "profile": claimed}}
        return [_sentence(issue) for issue in self._issues(resource) if _is_error(issue) and not _is_allowed(issue)]

    def _issues(self, resource: Mapping[str, Any]) -> list[dict[str, Any]]:
        body = json.dumps(resource, default=_number)
        reply = requests.post(self.origin, data=body.encode(), timeout=_FIRST_RESOURCE)
        if reply.status_code != 200:
            raise RuntimeError(f"The validator itself failed: {reply.text}")
        issues: list[dict[str, Any]] = reply.json()["issue"]
        return issues


def _number(value: object) -> float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} is not JSON")
    return float(value)


def _message(issue: Mapping[str, Any]) -> str:
    coding: list[dict[str, str]] = issue.get("details", {}).get("coding", [])
    return coding[0]["code"] if coding else ""


def _sentence(issue: Mapping[str, Any]) -> str:
    return f"{issue.get('expression', ['?'])[0]}: {issue['diagnostics']} [{_message(issue)}]"


def _is_error(issue: Mapping[str, Any]) -> bool:
    return issue["severity"] in ("error", "fatal") or _message(issue) == _NOT_CHECKED


def _is_allowed(issue: Mapping[str, Any]) -> bool:
    return any(
        _message(issue) == rule["message"] and re.fullmatch(rule["diagnostics"], issue["diagnostics"])
        for rule in _rules()
    )


@cache
def _rules() -> list[dict[str, str]]:
    rules: list[dict[str, str]] = tomllib.loads(_ALLOWED.read_text(encoding="utf-8"))["allow"]
    return rules
