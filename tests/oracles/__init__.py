"""FHIRPath engines that we did not write: named expressions and resources in, {name: values} for each resource out."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from fhirpathpy import compile as fhirpath
from fhirpathpy.models import models

from tests.npm import node_modules

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
        env={**os.environ, "NODE_PATH": str(node_modules(_HERE))},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    told: Told = json.loads(ran.stdout, parse_float=Decimal)
    return told
