from hypothesis import given
from hypothesis import strategies as st

from benchmarks.timeline import Span, length, minus, union

MOMENTS = st.integers(0, 40)
SPANS = st.lists(
    st.tuples(MOMENTS, MOMENTS).map(lambda ends: Span(float(min(ends)), float(max(ends))))
)


def covered(spans: list[Span]) -> set[int]:
    return {second for span in spans for second in range(int(span.start), int(span.end))}


@given(SPANS)
def test_a_union_covers_the_same_time_once(spans: list[Span]) -> None:
    joined = union(spans)
    assert covered(joined) == covered(spans)
    assert length(joined) == len(covered(spans))
    assert joined == sorted(joined)


@given(SPANS, SPANS)
def test_what_is_left_lies_in_none_of_the_others(spans: list[Span], others: list[Span]) -> None:
    left = minus(spans, others)
    assert covered(left) == covered(spans) - covered(others)
    assert length(left) == len(covered(left))
