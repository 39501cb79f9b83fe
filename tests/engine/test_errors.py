import inspect
from datetime import UTC, datetime

from engine import errors


def leaves() -> list[type[errors.TonspurError]]:
    found = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    return [
        c for c in found if issubclass(c, errors.TonspurError) and c.__module__ == errors.__name__
    ]


def test_every_error_stands_in_the_tree_that_is_drawn_at_the_top() -> None:
    drawn = errors.__doc__ or ""
    for leaf in leaves():
        assert leaf.__name__ in drawn, leaf.__name__


def test_every_leaf_says_what_becomes_of_the_work() -> None:
    for leaf in leaves():
        if leaf is not errors.TonspurError:
            assert issubclass(leaf, errors.Permanent | errors.Temporary | errors.Deferred)


def test_a_message_carries_its_advice() -> None:
    error = errors.UnknownChannel("No @x.")
    assert str(error).startswith("No @x. Check the address")
    later = errors.BotWall("Wall.", datetime(2026, 1, 1, tzinfo=UTC))
    assert str(later).startswith("Wall. Wait")
    assert str(errors.ServiceTrouble("Busy.")) == "Busy."


def test_a_quick_try_is_not_worth_it_where_only_time_helps() -> None:
    slow = {leaf for leaf in leaves() if issubclass(leaf, errors.Temporary) and not leaf.soon}
    assert slow == {
        errors.ExtractorTrouble,
        errors.MediaRefused,
        errors.UnclearVideo,
        errors.DrmProtected,
    }
