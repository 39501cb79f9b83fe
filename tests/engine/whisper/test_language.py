from pathlib import Path

import pytest

from engine.audio.samples import Samples
from engine.errors import BadSettings
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.language import check_language, spoken, voters
from engine.whisper.model import Model

ENGLISH_ONLY = Checkpoint("tiny.en", Path(), english_only=True)
MULTILINGUAL = Checkpoint("base", Path(), english_only=False)


def test_english_is_heard(model: Model, speech: Samples) -> None:
    assert spoken(model, [speech, speech[:48_000]], lambda: False) == "en"


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7, 40, 1000])
def test_voters_are_spread_over_all_windows(count: int) -> None:
    chosen = voters(count)
    assert len(chosen) == min(count, 6)
    assert len(set(chosen)) == len(chosen)
    assert all(0 <= i < count for i in chosen)
    if count == 1000:
        assert chosen[0] < 170
        assert chosen[-1] > 830


@pytest.mark.parametrize("language", ["auto", "en"])
def test_an_english_checkpoint_takes_english(language: str) -> None:
    check_language(language, ENGLISH_ONLY)


def test_an_english_checkpoint_refuses_other_languages() -> None:
    with pytest.raises(BadSettings, match=r"tiny.en knows English alone.*without `.en`"):
        check_language("de", ENGLISH_ONLY)


def test_a_language_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(BadSettings, match=r"no `xx`.*auto or one of en, zh, de"):
        check_language("xx", MULTILINGUAL)
