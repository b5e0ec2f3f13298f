"""No small number can be had by subtraction: each hidden one has several values that fit all that is shown."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imr_fhir.reporting.disclosure import THRESHOLD, hidden


def table(rows: list[list[int]]) -> tuple[dict[tuple[str, str], int], list]:
    """Counts of a table with its margins, and each sum that a reader can form."""
    height, width = len(rows), len(rows[0])
    counts = {(str(r), str(c)): rows[r][c] for r in range(height) for c in range(width)}
    counts |= {(str(r), "all"): sum(rows[r]) for r in range(height)}
    counts |= {("all", str(c)): sum(row[c] for row in rows) for c in range(width)}
    counts["all", "all"] = sum(map(sum, rows))
    across = [((str(r), "all"), [(str(r), str(c)) for c in range(width)]) for r in range(height)]
    down = [(("all", str(c)), [(str(r), str(c)) for r in range(height)]) for c in range(width)]
    whole = [
        (("all", "all"), [(str(r), "all") for r in range(height)]),
        (("all", "all"), [("all", str(c)) for c in range(width)]),
    ]
    return counts, [*across, *down, *whole]


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    assert hidden(*table([[5, 9], [12, 30]])) == frozenset()


def test_a_small_number_takes_another_of_its_row_and_of_its_column_with_it() -> None:
    found = hidden(*table([[3, 9, 20], [12, 30, 40], [11, 50, 60]]))
    assert found == {("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")}


def test_what_readers_need_most_is_hidden_last() -> None:
    """A margin is small only where it must be: a row of 8, of which one is under 5."""
    counts, sums = table([[3, 5, 20], [12, 30, 40], [11, 50, 60]])
    assert not any("all" in key for key in hidden(counts, sums, rank=lambda key: "all" not in key))
    last = hidden(counts, sums, rank=lambda key: "all" in key)
    assert any("all" in key for key in last)
    assert not {("0", "1"), ("1", "0")} & last


def test_none_is_a_small_number_too() -> None:
    assert ("0", "0") in hidden(*table([[0, 9], [12, 30]]))


def test_hidden_parts_that_are_few_together_take_a_third() -> None:
    """10 in all, 9 shown: the two hidden ones would be known to be one together."""
    counts = {"all": 10, "a": 1, "b": 0, "c": 9}
    assert hidden(counts, [("all", ["a", "b", "c"])]) == {"a", "b", "c"}


def test_a_sum_that_does_not_hold_was_counted_wrong() -> None:
    with pytest.raises(ValueError, match=r"all is 10, but its parts are \[4, 5\]"):
        hidden({"all": 10, "a": 4, "b": 5}, [("all", ["a", "b"])])


def test_the_same_number_in_two_figures_is_hidden_in_both() -> None:
    """Answered, of due; in time, of answered: 3 answered late would tell in one what the other hides."""
    counts = {"due": 40, "answered": 30, "not": 10, "timely": 27, "late": 3}
    found = hidden(counts, [("due", ["answered", "not"]), ("answered", ["timely", "late"])])
    assert {"late", "timely"} <= found


def test_what_stands_nowhere_is_hidden_first() -> None:
    """8 courses, 5 of them old; how many are young stands nowhere: then hiding that of another place is enough."""
    counts = {"all": 20, "a": 12, "b": 8, "young": 15, "young a": 12, "young b": 3}
    sums = [("young", ["young a", "young b"]), ("all", ["a", "b"])]
    assert not hidden(counts, sums, unseen={"young", "young a", "young b"}) & {"all", "a", "b"}
    assert hidden({"n": 8, "old": 6, "young": 2}, [("n", ["old", "young"])], unseen={"young"}) == {"young", "old"}


def test_no_count_is_under_nought() -> None:
    """b and d are at most 6 each and 12 together: so a and c are none, although the sums alone leave any number."""
    counts = {"a": 0, "b": 6, "c": 0, "d": 6, "a+b": 6, "c+d": 6, "b+d": 12}
    sums = [("a+b", ["a", "b"]), ("c+d", ["c", "d"]), ("b+d", ["b", "d"])]
    assert not hidden(counts, sums).isdisjoint({"a+b", "c+d", "b+d"})


def test_what_no_number_could_be_is_no_secret() -> None:
    """A total without parts is nought whatever is shown: it takes no other with it."""
    assert hidden({"all": 20, "a": 20, "none": 0}, [("all", ["a", "none"]), ("none", [])]) == {"none"}


def test_what_several_sums_tell_together_is_hidden_too() -> None:
    """Each line has two hidden or more, but the one that joins the blocks is rows 0 and 1 less columns 0 and 1."""
    small, much = 4, 20
    rows = [
        [small, small, much, much],
        [small, small, small, much],
        [much, much, small, small],
        [much, much, small, small],
    ]
    blocks = {(str(r), str(c)) for r in range(4) for c in range(4) if rows[r][c] == small}
    assert hidden(*table(rows)) > blocks


small_tables = st.integers(2, 3).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 8), min_size=width, max_size=width), min_size=2, max_size=3)
)


@settings(max_examples=60, deadline=None)
@given(small_tables)
def test_each_hidden_small_number_might_be_another(rows: list[list[int]]) -> None:
    counts, sums = table(rows)
    secret = hidden(counts, sums)
    cells = [key for key in counts if "all" not in key]
    unknown = [key for key in cells if key in secret]
    small = [key for key in unknown if counts[key] < THRESHOLD]
    if not small or len(unknown) > 4:
        return
    shown_margins = [
        (total, parts) for total, parts in sums if total not in secret and not any("all" in p for p in parts)
    ]
    grand = [(t, p) for t, p in sums if t == ("all", "all")]
    seen: dict[tuple[str, str], set[int]] = {key: set() for key in small}
    for guess in product(range(13), repeat=len(unknown)):
        world = {**{key: counts[key] for key in cells}, **dict(zip(unknown, guess, strict=True))}
        if all(sum(world[p] for p in parts) == counts[total] for total, parts in shown_margins) and (
            ("all", "all") in secret or not grand or sum(world.values()) == counts["all", "all"]
        ):
            for key in small:
                seen[key].add(world[key])
        if all(len(values) > 1 for values in seen.values()):
            return
    assert all(len(values) > 1 for values in seen.values()), (rows, secret, seen)


def test_the_solver_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """Standard output is the command's result."""
    hidden({"all": 7, "a": 3, "b": 4}, [("all", ("a", "b"))])
    assert capfd.readouterr() == ("", "")
