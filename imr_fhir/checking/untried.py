"""What of the writes is advertised, where none was tried."""

from collections.abc import Iterator

from imr_fhir.checking.finding import Finding
from imr_fhir.checking.needs import needed, without
from imr_fhir.checking.statement import Statement
from imr_fhir.ehr.scopes import NEEDED

_WRITE = "Give --write and --patient with a test patient to try it."


def not_tried(statement: Statement) -> Iterator[Finding]:
    """What is advertised; the app itself goes by that."""
    for need in NEEDED:
        wanted = [name for letter, name in (("c", "create"), ("u", "update")) if letter in need.operations]
        if not wanted:
            continue
        always = needed(need.resource)
        said = {name: statement.offers(need.resource, name) for name in wanted}
        if all(said.values()):
            what = f"{need.resource}: {', '.join(wanted)}"
            yield Finding("write", what, "unknown", "advertised, not tried", _WRITE, always)
            continue
        for name in wanted:
            what = f"{need.resource}: {name}"
            if said[name]:
                yield Finding("write", what, "unknown", "advertised, not tried", _WRITE, always)
            else:
                why = "not advertised; the app goes by that"
                yield Finding("write", what, "no", why, without(need.resource), always)
