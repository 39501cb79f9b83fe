"""Where videos stand, and which are tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from engine import errors
from engine.errors import MembersOnly, NetworkTrouble, TonspurError, UnclearVideo, UpcomingVideo
from engine.library.shelf import Entry, Library, written_at
from engine.library.sidecar import StepName
from engine.steps.later import Again, chosen
from engine.steps.recording import failure, recorded
from engine.steps.status import VideoStatus, statuses
from engine.steps.write import write
from engine.transcript import Transcript
from engine.video import Video

NOW = datetime.now(UTC)


def placed(library: Library, video_id: str = "aaaaaaaaaa1", channel: str = "Talks") -> Entry:
    video = Video(
        video_id=video_id,
        published_at=datetime(2026, 1, 2, tzinfo=UTC),
        title="A talk",
        channel_id=f"UC{channel:x<22}",
        channel_title=channel,
    )
    return library.place(video)


def run_that_fails(
    library: Library, entry: Entry, error: TonspurError, step: StepName = "download", tries: int = 1
) -> None:
    """One run: its step is tried so often, as the task's own retries do, then it ends."""
    for _ in range(tries):
        with pytest.raises(TonspurError), recorded(library, entry, step, "mark", {}):
            raise error
    library.ended(entry.video_id)


def run_that_ends_well(library: Library, entry: Entry) -> None:
    heard = Transcript(language="en", duration_s=9, model="m", preset="p", segments=())
    entry.transcript.write_text(heard.model_dump_json(), encoding="utf-8")
    for step in ("metadata", "download", "transcript"):
        library.record(entry, step, written_at("done"))
    write(library, entry)
    library.ended(entry.video_id)


def only(library: Library) -> VideoStatus:
    [found] = statuses(library)
    return found


def test_a_video_waits_then_is_done(library: Library) -> None:
    entry = placed(library)
    library.record(entry, "metadata", written_at("done"))
    assert only(library).state == "waiting"
    run_that_ends_well(library, entry)
    status = only(library)
    assert (status.state, status.transcript) == ("done", entry.text)
    assert status.next_try is None


def test_a_failure_names_step_cause_and_advice(library: Library) -> None:
    run_that_fails(library, placed(library), NetworkTrouble("No connection."))
    status = only(library)
    assert (status.state, status.step, status.cause, status.sort) == (
        "failed", "download", "NetworkTrouble", "temporary",
    )  # fmt: skip
    assert "No connection. If it goes on" in str(status.reason)


def test_pauses_grow_with_each_run_that_meets_the_same_and_end(library: Library) -> None:
    entry = placed(library)
    pauses = []
    for _ in range(len(NetworkTrouble.later_h) + 1):
        run_that_fails(library, entry, NetworkTrouble("No."), tries=4)
        status = only(library)
        assert status.at is not None
        pauses.append(
            (status.next_try - status.at) / timedelta(hours=1) if status.next_try else None
        )
    assert pauses == [*NetworkTrouble.later_h, None]


def test_another_failure_and_a_success_begin_the_count_anew(library: Library) -> None:
    entry = placed(library)
    run_that_fails(library, entry, NetworkTrouble("No."))
    run_that_fails(library, entry, NetworkTrouble("No."))
    assert only(library).tries == 2
    run_that_fails(library, entry, UnclearVideo("Unclear."))
    assert only(library).tries == 1
    run_that_ends_well(library, entry)
    run_that_fails(library, entry, NetworkTrouble("No."), "upload")
    assert (only(library).tries, only(library).step) == (1, "upload")


def test_what_youtube_does_not_explain_is_given_up_after_a_second_try_a_day_later(
    library: Library,
) -> None:
    entry = placed(library)
    run_that_fails(library, entry, UnclearVideo("Unclear."))
    first = only(library)
    assert first.next_try == first.at + timedelta(hours=24) if first.at else None
    run_that_fails(library, entry, UnclearVideo("Unclear."))
    assert only(library).next_try is None


def test_members_only_is_looked_at_again_after_weeks_and_others_never(library: Library) -> None:
    run_that_fails(library, placed(library), MembersOnly("Members."))
    status = only(library)
    assert status.sort == "permanent"
    assert status.at is not None
    assert status.next_try == status.at + timedelta(days=14)
    for leaf in errors.leaves():
        if issubclass(leaf, errors.Permanent) and leaf is not MembersOnly:
            assert leaf.later_h == ()


def test_what_is_deferred_says_until_when(library: Library) -> None:
    entry = placed(library)
    later = NOW + timedelta(days=3)
    library.record(entry, "metadata", written_at(**failure(UpcomingVideo("Soon.", later))))
    status = only(library)
    assert (status.state, status.next_try) == ("deferred", later)


def test_a_video_without_a_title_counts_its_runs_too(library: Library) -> None:
    for expected in (1, 2):
        said = failure(NetworkTrouble("No."))
        library.note_failure("bbbbbbbbbb1", written_at(**said))
        library.note_failure("bbbbbbbbbb1", written_at(**said))
        library.ended("bbbbbbbbbb1")
        status = only(library)
        assert (status.video_id, status.title, status.tries) == ("bbbbbbbbbb1", None, expected)


def test_a_bug_may_pass_and_is_tried_again(library: Library) -> None:
    entry = placed(library)
    with pytest.raises(ZeroDivisionError), recorded(library, entry, "write", "mark", {}):
        raise ZeroDivisionError("oh")
    library.ended(entry.video_id)
    status = only(library)
    assert (status.sort, status.cause, status.tries) == ("temporary", "ZeroDivisionError", 1)
    assert status.next_try is not None


@pytest.fixture
def shelf(library: Library) -> Library:
    """One video of each sort."""
    run_that_ends_well(library, placed(library, "done0000001"))
    run_that_fails(library, placed(library, "network0001"), NetworkTrouble("No."))
    run_that_fails(library, placed(library, "members0001"), MembersOnly("M."))
    run_that_fails(library, placed(library, "unclear0001", "Other"), UnclearVideo("U."))
    waiting = placed(library, "waiting0001")
    library.record(waiting, "metadata", written_at("done"))
    return library


def ids(shelf: Library, again: Again, hours: float = 0, crashed: tuple[str, ...] = ()) -> list[str]:
    found = chosen(shelf, again, datetime.now(UTC) + timedelta(hours=hours), unexplained=crashed)
    return sorted(one.video_id for one in found)


def test_a_retry_takes_the_temporary_ones(shelf: Library) -> None:
    assert ids(shelf, Again()) == ["network0001", "unclear0001"]


def test_permanent_ones_only_when_told_to(shelf: Library) -> None:
    assert "members0001" in ids(shelf, Again(permanent=True))
    assert ids(shelf, Again(causes=["MembersOnly"])) == ["members0001"]
    assert ids(shelf, Again(videos=["members0001"])) == ["members0001"]


def test_by_the_clock_only_what_is_due(shelf: Library) -> None:
    assert ids(shelf, Again(due=True)) == []
    assert ids(shelf, Again(due=True), hours=1.1) == ["network0001"]
    assert ids(shelf, Again(due=True), hours=24.1) == ["network0001", "unclear0001"]
    assert "members0001" in ids(shelf, Again(due=True), hours=24 * 14 + 1)


def test_a_crashed_run_counts_as_failed_unless_its_video_is_done(shelf: Library) -> None:
    crashed = ("waiting0001", "done0000001")
    assert ids(shelf, Again(), crashed=crashed) == ["network0001", "unclear0001", "waiting0001"]
    assert ids(shelf, Again(causes=["MembersOnly"]), crashed=crashed) == ["members0001"]


def test_one_channel_alone(shelf: Library) -> None:
    folder = next(shelf.root.glob("Other"))
    card = shelf.channel(folder)
    assert card is not None
    shelf.keep_card(folder, card.model_copy(update={"handle": "@other"}))
    assert ids(shelf, Again(channel="@other")) == ["unclear0001"]
    with pytest.raises(errors.UnknownChannel):
        ids(shelf, Again(channel="@unknown"))
