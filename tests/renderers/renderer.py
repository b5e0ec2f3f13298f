"""The form fillers, each with its own files and a page that holds it alone."""

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from imr_fhir.scale import NA, Anchor
from tests.npm import node_modules
from tests.renderers.differences import SHOWS_RATINGS

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Renderer:
    """``name``: of its folder here."""

    name: str

    def folders(self) -> tuple[Path, ...]:
        """Where the files of its page are, in this order; installed the first time."""
        modules = node_modules(_HERE / self.name)
        return _HERE / self.name, _bundled(modules) if self == SMART_FORMS else modules / "lforms" / "dist"

    def label(self, anchor: Anchor) -> str:
        """What stands beside the radio button of ``anchor``."""
        if self.name in SHOWS_RATINGS and anchor.rating != NA:
            return f"{anchor.text.en} - {anchor.rating}"
        return anchor.text.en


LHC_FORMS = Renderer("lhc_forms")
SMART_FORMS = Renderer("smart_forms")
RENDERERS = (LHC_FORMS, SMART_FORMS)


@cache
def _bundled(modules: Path) -> Path:
    bundle = modules.parent / "bundle"
    options = ["--bundle", "--minify", "--jsx=automatic", "--define:process.env.NODE_ENV='production'"]
    fonts = ["--loader:.woff=dataurl", "--loader:.woff2=dataurl"]
    command = [modules / ".bin" / "esbuild", _HERE / SMART_FORMS.name / "page.jsx", f"--outdir={bundle}"]
    environment = {**os.environ, "NODE_PATH": str(modules)}
    ran = subprocess.run([*command, *options, *fonts], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return bundle
