from pathlib import Path

import pytest

from engine.audio.decoding import Aborted
from engine.audio.samples import Samples
from engine.errors import BadSettings
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.cpu import CpuBackend
from engine.whisper.language import check_language, spoken, voters
from engine.whisper.model import Model

ENGLISH_ONLY = Checkpoint("tiny.en", Path(), english_only=True)
MULTILINGUAL = Checkpoint("base", Path(), english_only=False)


def test_english_is_heard(model: Model, speech: Samples) -> None:
    windows = {0: speech, 7: speech[:48_000]}
    code, heard = spoken(model, CpuBackend(model, 2, 2), windows, lambda: False)
    assert code == "en"
    # Of the short one the guess was made with silence behind it: its memory is none for writing.
    assert list(heard) == ([0] if len(speech) >= 10 * 16_000 else [])


def test_an_abort_stops_the_vote(model: Model, speech: Samples) -> None:
    with pytest.raises(Aborted):
        spoken(model, CpuBackend(model, 2, 2), {0: speech}, lambda: True)


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
