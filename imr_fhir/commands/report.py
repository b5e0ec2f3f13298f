"""`imr-fhir report`."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from imr_fhir.commands.exits import Exit
from imr_fhir.commands.output import json_option, say_json
from imr_fhir.reporting.making_report import Made, make
from imr_fhir.reporting.spark.tables import write_tables_on_spark
from imr_fhir.reporting.tables import Written, write_tables
from imr_fhir.reporting.words import LANGUAGES

_OF_THIS_MACHINE = ("localtime", "posix", "right/")  # zones to Python, and to nothing that makes the report


def _zone(_: click.Context, __: click.Parameter, value: str) -> ZoneInfo:
    try:
        if value.startswith(_OF_THIS_MACHINE):
            raise ZoneInfoNotFoundError(value)
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: "Europe" is a folder
        raise click.BadParameter(f"{value} is no time zone. Write it as Europe/Oslo.") from None


def _settings(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    if wrong := next((value for value in values if not value.partition("=")[2]), None):
        raise click.BadParameter(f"{wrong} has no value. Write it as spark.executor.memory=8g.")
    return dict(value.split("=", 1) for value in values)


@click.command(short_help="Make the report of an export.")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", metavar="OUT", type=click.Path(file_okay=False, path_type=Path))
@click.option("--zone", callback=_zone, required=True, help="The site's time zone, e.g. Europe/Oslo.")
@click.option("--exported", type=click.DateTime(["%Y-%m-%d"]), help="The day of the export, where DIR does not say it.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Of report.html alone; nb is Bokmål.",
)
@click.option(
    "--episode-type", "types", multiple=True, metavar="SYSTEM|CODE", help="Of a course of IMR. May be given again."
)
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What makes the tables: this machine, or a Spark cluster with Pathling.",
)
@click.option("--master", metavar="URL", help="The cluster: spark://host:7077, yarn, k8s://...; or local[*].")
@click.option(
    "--spark-jars",
    "jars",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with Pathling's jar, where Maven is not to fetch it.",
)
@click.option(
    "--spark-conf",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_settings,
    help="A setting of Spark's own.",
)
@json_option
def report(
    folder: Path, out: Path, zone: ZoneInfo, exported: datetime | None, language: str, types: tuple[str, ...],
    engine: str, master: str | None, jars: Path | None, settings: dict[str, str], as_json: bool,
) -> None:  # fmt: skip
    """Make the report of the export in DIR, into the folder OUT.

    OUT gets report.html, which stands by itself, its figures as figures.csv, figures.json and measure-report.json, and
    the tables that they are counted on (tables/*.parquet). Numbers under 5 are shown nowhere but in the folder tables:
    it stays with you.
    """
    day = exported.date() if exported else None
    write = _engine(engine, master, jars, settings)
    made = make(
        folder, out, zone=zone, now=datetime.now(UTC), language=language, exported=day, course_types=types, write=write
    )
    if as_json:
        say_json(_said(made))
    else:
        for file in made.files:
            click.echo(f"Wrote {file}")
        for line in (*_counted(made), *_older(made)):
            click.echo(line)
        for fault in made.reconciliation.faults:
            click.echo(f"Not accounted for: {fault.sentence(str(made.lost))}")
        if not made.reconciliation.faults:
            click.echo("Every line of the export is accounted for.")
    if made.reconciliation.faults:
        click.get_current_context().exit(Exit.FOUND)


def _counted(made: Made) -> Iterator[str]:
    """How many of each kind the export holds and how many are counted; a small number is hidden as on the page."""
    untold = False
    for kind in made.report.left_out.kinds:
        reasons = {reason: made.report.shown(cell) for reason, cell in kind.reasons}
        read, counted = made.report.shown(kind.all), reasons.pop("counted", 0)
        said = ", ".join(
            f"how many {what} is not told" if n is None else f"{n:,} {what}"
            for what, n in (("read", read), ("counted", counted))
        )
        without = ", ".join(f"{reason} ({'not told' if n is None else f'{n:,}'})" for reason, n in reasons.items())
        untold = untold or None in (read, counted, *reasons.values())
        yield f"{kind.name.capitalize()}: {said}{without and f'; not counted: {without}'}."
    if untold:
        yield f"Not told is a number under {made.report.threshold}, and one that would tell it."


def _older(made: Made) -> Iterator[str]:
    for step in made.reconciliation.steps:
        if step.older:
            said = "how many is not told" if "older" in step.hidden else f"{step.older:,}"
            yield f"{step.resource}: older versions were left out ({said}); of each resource its newest counts."


def _engine(
    engine: str, master: str | None, jars: Path | None, settings: dict[str, str]
) -> Callable[[Path, Path], Written]:
    if engine == "duckdb":
        if master or jars or settings:
            raise click.UsageError("--master, --spark-jars and --spark-conf go with --engine spark.")
        return write_tables
    if not master:
        raise click.UsageError("--engine spark needs --master: spark://host:7077, yarn, k8s://... or local[*].")
    return partial(
        write_tables_on_spark, master=master, jars=jars, settings=settings, say=partial(click.echo, err=True)
    )


def _said(made: Made) -> dict[str, object]:
    """A small number is null here too, and named in ``hidden``: what a script prints goes into logs."""
    steps = [
        {
            "resource": step.resource,
            **{name: None if name in step.hidden else n for name, n in step.numbers.items()},
            "hidden": sorted(step.hidden),
        }
        for step in made.reconciliation.steps
    ]
    return {
        "files": [str(file) for file in made.files],
        "exported": made.report.exported.isoformat(),
        "steps": steps,
        "faults": [fault.shown(str(made.lost)) for fault in made.reconciliation.faults],
    }
