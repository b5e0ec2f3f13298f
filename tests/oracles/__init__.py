"""FHIRPath engines that we did not write: named expressions and resources in, {name: values} for each resource out."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from fhirpathpy import compile as fhirpath
from fhirpathpy.models import models

from tests import parts

_HERE = Path(__file__).parent

Told = list[dict[str, list[Any]]]


def by_fhirpathpy(expressions: Mapping[str, str], resources: Sequence[Mapping[str, Any]]) -> Told:
    compiled = {name: fhirpath(expression, models["r4"]) for name, expression in expressions.items()}
    return [
        {name: evaluate(resource, {"resource": resource}) for name, evaluate in compiled.items()}
        for resource in resources
    ]


def by_fhirpath_js(expressions: Mapping[str, str], resources: Sequence[Mapping[str, Any]]) -> Told:
    asked = json.dumps({"expressions": expressions, "resources": resources})
    ran = subprocess.run(
        ["node", _HERE / "evaluate.js"],
        input=asked.encode(),
        env={**os.environ, "NODE_PATH": str(_node_modules())},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    told: Told = json.loads(ran.stdout, parse_float=Decimal)
    return told


@cache
def _node_modules() -> Path:
    """What package-lock.json names, installed once beside the other tools."""
    folder = parts.tools_folder() / "oracles"
    lock = (_HERE / "package-lock.json").read_bytes()
    installed = folder / "installed"  # the lock of what is there
    if not installed.is_file() or installed.read_bytes() != lock:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_HERE / name, folder)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        ran = subprocess.run(npm, cwd=folder, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        installed.write_bytes(lock)
    return folder / "node_modules"
