"""The report on an EHR for people to read: findings by area, then what follows from them."""

import textwrap
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from imr_fhir.checking.finding import WORDS, Area, Finding
from imr_fhir.checking.kept import ARTEFACTS, REASONS, RUNGS, Kept
from imr_fhir.checking.report import Report

_HEADS: Mapping[Area, str] = {
    "server": "The server",
    "smart": "SMART App Launch",
    "read": "What the app reads",
    "write": "What the app writes",
    "clean-up": "What was written to try it",
}
_FIRST = max(map(len, WORDS.values())) + 4


def table(report: Report, *, width: int) -> str:
    lines = [f"{report.base}: {report.software or 'a server'}, FHIR {report.release}"]
    for area, head in _HEADS.items():
        some = [finding for finding in report.findings if finding.area == area]
        if some:
            lines += ["", head, *_findings(some, width)]
    tried = any(finding.area == "clean-up" for finding in report.findings)
    where = "Where the app will keep things" if tried else "Where the app will keep things, if what is advertised works"
    lines += ["", where, *_all_kept(report.kept, width)]
    if report.smart:
        lines += [
            "",
            "Scopes to ask for",
            *textwrap.wrap(" ".join(report.scopes), width, initial_indent="  ", subsequent_indent="  "),
        ]
    lines += ["", "Hosts to let through the firewall"]
    lines += [f"  from the {host.caller:<8} to {host.host}: {host.why}" for host in report.hosts]
    if report.smart:
        lines += ["", "For imr-app.toml (see imr-app check-config)", "", report.settings.rstrip()]
    else:
        lines += ["", "No scopes and no table for imr-app.toml: from this server the app can't be launched."]
    return "\n".join([*lines, "", *_summary(report, width)])


def _findings(findings: Iterable[Finding], width: int) -> Iterator[str]:
    """The evidence beside what it is of, below it where the line is too long."""
    findings = tuple(findings)
    second = min(48, max(len(_what(finding)) for finding in findings) + 2)
    for each, after in zip(findings, [*findings[1:], None], strict=True):
        head = f"  {WORDS[each.verdict]:<{_FIRST - 2}}{_what(each):<{second}}"
        beside = len(head) + len(each.evidence) <= width and len(_what(each)) < second
        yield f"{head}{each.evidence}".rstrip() if beside else head.rstrip()
        below = [
            *([] if beside else [each.evidence]),
            *([f"→ {_step(each)}"] if _step(each) and _step(each) != _step(after) else []),
        ]
        for text in below:
            indent = " " * _FIRST + "  "
            yield from textwrap.wrap(
                text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
            )


def _what(finding: Finding) -> str:
    return finding.what if finding.needed else f"{finding.what} *"


def _step(finding: Finding | None) -> str:
    """Once where it is the next one's too."""
    return finding.next_step if finding and finding.verdict in ("no", "fails", "unknown") else ""


def _all_kept(all_kept: Collection[Kept], width: int) -> Iterator[str]:
    """Answers hold their score themselves, in whatever shape they are kept."""
    places = {kept.artefact: kept.rung for kept in all_kept}
    for kept in all_kept:
        inside = kept.artefact == "score" and kept.rung == "print" and places.get("answers") != "print"
        yield from _kept(kept, "in the answers alone" if inside else RUNGS[kept.rung], width)


def _kept(kept: Kept, where: str, width: int) -> Iterator[str]:
    """And what would have been better."""
    first, indent = f"  {ARTEFACTS[kept.artefact]:<19}", " " * 21
    yield f"{first}{where}"
    closed = "; ".join(f"{RUNGS[name]} ({REASONS[reason]})" for name, reason in kept.closed)
    if closed:
        yield from textwrap.wrap(f"not as: {closed}", width, initial_indent=indent, subsequent_indent=indent)


def _summary(report: Report, width: int) -> Iterator[str]:
    counts = Counter(WORDS[each.verdict] for each in report.findings)
    yield ", ".join(f"{counts[word]} {word}" for word in WORDS.values() if counts[word])
    if any(not each.needed for each in report.findings):
        yield "* the app does without it"
    left = [each for each in report.findings if each.area == "clean-up" and each.verdict != "yes"]
    if left:
        yield f"{len(left)} of what was written to try it could not be taken back: they are named above."
    if wanting := [each for each in report.wanting if each.area != "clean-up"]:
        names = "; ".join(each.what for each in wanting)
        yield from textwrap.wrap(f"Of what the app uses, this does not work here: {names}.", width)
    if report.unseen:
        names = "; ".join(each.what for each in report.unseen)
        yield from textwrap.wrap(f"Of what the app uses, this was tried and could not be seen: {names}.", width)
    elif not wanting:
        yield "Of what the app uses, all that was tried works."
