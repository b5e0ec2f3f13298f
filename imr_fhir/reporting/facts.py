"""What the rules say of one patient, as rows that the report's figures count: the same rules as on the panel."""

from dataclasses import replace
from datetime import date

from imr_fhir.course import Course, courses, firsts_of, responses_in
from imr_fhir.reporting.change_facts import change_fact
from imr_fhir.reporting.counting import ALL
from imr_fhir.reporting.course_facts import course_facts
from imr_fhir.reporting.fact_rows import Facts
from imr_fhir.reporting.goal_facts import goal_fact
from imr_fhir.reporting.life import Life
from imr_fhir.reporting.pair_facts import pair_facts
from imr_fhir.scale import RATERS


def facts(life: Life, exported: date, number: int) -> Facts:
    """The patient's rows. ``exported``: the day of the export at the site; ``number``: that of the first course, which
    no other patient's has. A course that was only offered, or begins after the export, stands in none; so does a goal
    without a start."""
    found = Facts([], [], [], [], [], [])
    known = courses(life.episodes, life.responses, life.table, today=exported)
    begun = [_apart(course) for course in known if course.status != "offered" and course.start <= exported]
    numbered = list(enumerate(begun, number))
    for own, course in numbered:
        within = responses_in(course, life.responses)
        row, occasions = course_facts(own, course, life, begun, exported)
        found.courses.append(row)
        found.occasions.extend(occasions)
        firsts = firsts_of(course, within)
        found.changes.extend(change_fact(own, course, rater, within, firsts.get(rater)) for rater in RATERS)
        pairs, items = pair_facts(own, course, life, begun)
        found.pairs.extend(pairs)
        found.pair_items.extend(items)
    found.goals.extend(goal_fact(goal, goal.start, numbered, exported) for goal in life.goals if goal.start)
    return found


def _apart(course: Course) -> Course:
    """A unit that is called what stands for all units together keeps its name, in quotes."""
    return replace(course, unit=f"“{course.unit}”") if course.unit == ALL else course
