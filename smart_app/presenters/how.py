"""How change is worked out, with every figure that it rests on and where each comes from."""

from __future__ import annotations

from dataclasses import dataclass

from imr_fhir.change import Change, parameters_of
from imr_fhir.parameters import Parameters
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT, Rater
from smart_app.language import Words
from smart_app.presenters.known import Known
from smart_app.presenters.scales import change_phrases, signed, unverified
from smart_app.presenters.situation import Situation


@dataclass(frozen=True, slots=True)
class Term:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class HowRater:
    rater: Rater
    name: str
    phrases: tuple[str, ...]
    worked_out: tuple[Term, ...]  # of this patient; () where nothing can be said
    rests_on: tuple[Term, ...]  # the figures and their sources; () where this place has set none
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class How:
    lead: tuple[str, ...]
    raters: tuple[HowRater, ...]
    rules: tuple[str, ...]


def how(words: Words, all_of: Known, situation: Situation) -> How:
    """What the page "How this is worked out" says of the latest rating of each rater."""
    rated = [(rater, latest) for rater in all_of.names if (latest := all_of.latest(rater))]
    return How(
        lead=(words.say("how.lead"), words.say("how.method")),
        raters=tuple(_rater(words, all_of, situation, rater, latest) for rater, latest in rated),
        rules=(
            words.say("how.both_times"),
            words.say("how.calendar"),
            words.say("how.one_flag"),
            words.say("how.low_start"),
            words.say("how.pairs", n=situation.pair_window),
            words.say("how.no_subscales"),
        ),
    )


def _rater(words: Words, all_of: Known, situation: Situation, rater: Rater, latest: Response) -> HowRater:
    change = all_of.change(latest, situation)
    parameters = parameters_of(latest, situation.parameters)
    return HowRater(
        rater=rater,
        name=all_of.names[rater],
        phrases=change_phrases(words, change)[0] if change else (),
        worked_out=_worked_out(words, change) if isinstance(change, Change) else (),
        rests_on=_rests_on(words, parameters) if parameters else (),
        notes=(*(_notes(words, parameters) if parameters else ()), *unverified(words, latest.form)),
    )


def _worked_out(words: Words, change: Change) -> tuple[Term, ...]:
    limit = change.parameters.threshold * len(change.items)
    return (
        Term(words.say("how.first"), words.day(change.first.measured)),
        Term(words.say("how.latest"), words.day(change.last.measured)),
        Term(words.say("how.items"), words.say("how.items.of", n=len(change.items), total=ITEM_COUNT)),
        Term(words.say("how.sum"), signed(change.sum_change)),
        Term(words.say("how.of_which"), signed(change.calendar)),
        Term(words.say("how.mean"), words.number(change.mean_change, 2)),
        Term(words.say("how.limit"), words.say("how.limit.sum", limit=words.number(limit, 2))),
    )


def _rests_on(words: Words, parameters: Parameters) -> tuple[Term, ...]:
    low, high = parameters.band
    return (
        Term(words.say("how.sd"), _found(words, words.number(parameters.sd, 1), parameters.sd_source, parameters.sd_n)),
        Term(
            words.say(f"how.r.{parameters.r_kind}"),
            _found(words, words.number(parameters.r, 2), parameters.r_source, parameters.r_n),
        ),
        Term(words.say("how.t"), words.number(parameters.threshold, 4)),
        Term(words.say("how.band"), words.say("how.range", low=words.number(low, 2), high=words.number(high, 2))),
    )


def _found(words: Words, figure: str, source: str, n: int) -> str:
    return words.say("how.found", figure=figure, source=source, n=n)


def _notes(words: Words, parameters: Parameters) -> tuple[str, ...]:
    notes = []
    if not parameters.same_sample:
        notes.append(words.say("how.samples"))
    if parameters.other_language:
        notes.append(words.say("how.language"))
    return tuple(notes)
