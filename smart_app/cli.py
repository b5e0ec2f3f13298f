"""`imr-app`: run the app, check its settings, look at its audit log."""

import logging
import os
import signal
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from imr_fhir.ehr.scopes import LOG_IN, NEEDED
from imr_fhir.errors import ImrError
from smart_app import create_app
from smart_app.cli_audit import audit
from smart_app.cli_keys import keys
from smart_app.cli_options import config_option, exits, opened
from smart_app.config_file import ConfigError, example, read_config
from smart_app.logs import set_up_logging
from smart_app.serving import Server, listen, settle_memory
from smart_app.state import State, state_of
from smart_app.tidying import tidied
from smart_app.tokens import end_later, leave_unused, revoke_unused

if TYPE_CHECKING:
    from smart_app.demo import Demo

_log = logging.getLogger(__name__)
# Longer than the 30 s that one call to a hospital may take: whoever saves while the app stops gets an answer.
_GRACEFUL = 45.0
_NO_HOPS = (
    "Take care: [app] public_url is https, so a proxy stands before the app, but proxy_hops is 0: all browsers have "
    "the proxy's address, and who types wrong one-time codes shuts out everybody. Write: proxy_hops = 1"
)
# The sandbox's table of EHRs has these; it is not read here, since an app that serves a hospital never loads it.
EHRS = ("generic", "azure", "epic", "oracle-health", "meditech", "openemr", "dips", "observation-only")


@click.group()
def main() -> None:
    """IMR on FHIR."""


@main.command()
@config_option
@exits
def serve(path: Path) -> None:
    """Run the app until SIGTERM or Ctrl-C."""
    config = read_config(path)
    with closing(opened(config)) as store:
        app = create_app(config, store=store)
        host, _, port = config.bind.rpartition(":")
        try:
            listener = listen(host, int(port))
        except OSError as error:
            raise ConfigError([f"{config.bind}: {error.strerror}. Choose another `bind` in {path}."]) from error
        set_up_logging(config.log_level)
        server = Server(app, listener, threads=config.threads, behind_proxy=config.proxy_hops > 0)
        settle_memory()
        with tidied(state_of(app)) as tidying:
            got = _signals()  # before anybody is answered: who is answered may stop it at once
            server.start()
            _log.info("Listening on %s for %s", config.bind, config.public_url)
            _until_stopped(got, state_of(app), tidying)
            server.stop(_GRACEFUL)


def _signals() -> list[int]:
    """The signals that ask this process to stop, as they come."""
    got: list[int] = []  # a handler may do no more: the thread that it interrupts can hold any lock

    def stop(number: int, _frame: FrameType | None) -> None:
        got.append(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return got


def _until_stopped(got: list[int], state: State, tidying: threading.Thread) -> None:
    """From the signal on `/readyz` says 503, so that no new work is sent here."""
    while not got:
        time.sleep(0.25)
        if not tidying.is_alive():
            raise RuntimeError("The store is no longer tidied; the error above says why.")
    _log.info("Stopping: %s", signal.Signals(got[0]).name)
    state.draining.set()


@main.command(short_help="Run a sandbox hospital and the app until Ctrl-C.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True, help="The hospital's port.")
@click.option("--app-port", type=click.IntRange(1, 65535), default=8081, show_default=True, help="The app's port.")
@click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="The folder of all that the two keep.",
)
@click.option("--reset", is_flag=True, help="Begin with a fresh hospital.")
@click.option(
    "--ehr", type=click.Choice(EHRS), default="generic", show_default=True, help="Whose EHR the hospital has."
)
def demo(port: int, app_port: int, folder: Path, reset: bool, ehr: str) -> None:
    """Run a sandbox hospital and the app on this machine until Ctrl-C."""
    from smart_app.demo import running_demo  # here: an app that serves a hospital never loads the sandbox

    set_up_logging("WARNING")
    logging.getLogger("waitress").setLevel(logging.ERROR)  # Ctrl-C cuts off requests: no news to who pressed it
    try:
        with (
            running_demo(folder, port=port, app_port=app_port, reset=reset, tell=click.echo, ehr=ehr) as running,
            tidied(running.state) as tidying,
        ):
            got = _signals()  # before anybody is told that it runs, as above
            click.echo(_told(running, folder))
            _until_stopped(got, running.state, tidying)
    except KeyboardInterrupt:
        click.echo("Stopped before it was ready; the next start goes on from here.")
    except (ImrError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _told(running: "Demo", folder: Path) -> str:
    width = max(len(running.chart_url), len(running.app_url))
    return f"""
Open {running.chart_url:{width}}  the charts of a sandbox hospital: choose a patient, then "Open IMR in the chart"
     {running.app_url:{width}}  the app itself, which opens from a chart only
{_for_engineers(running, folder) if running.engineer_key else ""}
Ctrl-C ends both; what was saved stays in {folder}."""


def _for_engineers(running: "Demo", folder: Path) -> str:
    """Lines to copy; what they log in as is known to this hospital alone."""
    from smart_app.demo import ENGINEER

    command = os.path.relpath(Path(sys.executable).with_name("imr-fhir"))
    login = f"--client-id {ENGINEER} --key-file {running.engineer_key}"
    return f"""
For docs/integration.md and docs/reporting.md, in another terminal; the two options log in with every verb:
     {command} check {running.fhir_base} {login}
     {command} load {running.fhir_base} {login}
     {command} export {running.fhir_base} {folder / "export"} {login}
"""


@main.command("check-config", short_help="Say what is wrong with the settings, the keys and the store.")
@config_option
@click.option("--example", "show_example", is_flag=True, help="Print a settings file with every setting explained.")
@exits
def check_config(path: Path, show_example: bool) -> None:
    """Say what is wrong with the settings, the keys and the store, each with the line to write."""
    if show_example:
        click.echo(example(), nl=False)
        return
    config = read_config(path)
    with closing(opened(config)) as store:
        store.check()
        create_app(config, store=store)
    for site in config.sites.values():
        click.echo(f"{site.name}: {site.iss} as {site.client_id}, callback {config.public_url}/callback/{site.name}")
        click.echo(f"    opened from the chart: {config.public_url}/launch")
        click.echo(f"    without one:           {config.public_url}/launch/standalone/{site.name}")
    if config.public_url.startswith("https:") and not config.proxy_hops:
        click.echo(_NO_HOPS, err=True)
    click.echo("The settings are right.")


@main.command(short_help="Print each scope that the app asks for, and what for.")
def scopes() -> None:
    """Print what the app asks an EHR for: each scope of SMART 2 and of SMART 1, what for, and what is missing without.
    An EHR that refuses what is not registered needs all of them.

    A site's `scopes` may name others, such as wildcards; an EHR may grant fewer.
    """
    record = ((f"{need.v2}  ({' '.join(need.v1)} in SMART 1)", need.why, need.without) for need in NEEDED)
    for scope, why, without in (*LOG_IN, *record):
        click.echo(scope)
        click.echo(f"    for:     {why}")
        click.echo(f"    without: {without}")


@main.command(short_help="After a restore: end all sessions, doubt what was under way.")
@config_option
@exits
def restored(path: Path) -> None:
    """After the store came from a backup and before the app starts: end all sessions, doubt all that was under way.

    What was not finished when the backup was made may be in the record since: it is looked for before it is sent again.
    """
    config = read_config(path)
    with closing(opened(config)) as store:
        app = create_app(config, store=store)
        back = store.restored(state_of(app).clock())
        hospitals = state_of(app).hospitals
        end_later(back.ended, hospitals)
        revoke_unused(hospitals, state_of(app).clock())
        leave_unused(hospitals)
        click.echo(f"{len(back.ended)} sessions were ended: people open the app again from the chart.")
        click.echo(f"{back.unknown} filings are looked for in the record at their person's next launch.")
        click.echo(f"The audit log stands at {store.audit.head()}: keep this mark with those before it.")


main.add_command(audit)
main.add_command(keys)


if __name__ == "__main__":
    main()
