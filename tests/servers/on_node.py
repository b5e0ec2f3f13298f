"""A server.js beside a package.json, run by Node.js on a free port of loopback for as long as it is needed."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.npm import node_modules


@contextmanager
def on_node(folder: Path, **settings: object) -> Iterator[str]:
    """Yields its origin; ``settings``, and where its modules are, reach it as its one argument, JSON."""
    told = json.dumps({**settings, "modules": str(node_modules(folder))})
    command = ["node", str(folder / "server.js"), told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            said = server.stdout.readline()
            assert said.startswith("READY "), f"{folder.name} did not start"
            yield f"http://127.0.0.1:{said.split()[1]}"
        finally:
            server.terminate()
