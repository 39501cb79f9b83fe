import json

import pytest
from transformers.models.whisper.tokenization_whisper import LANGUAGES as THEIRS

from engine.whisper.checkpoints import Checkpoint
from engine.whisper.vocabulary import LANGUAGES, TextDecoder, Vocabulary, tokenizer_of_words


def test_languages_stand_in_the_order_of_their_tokens() -> None:
    assert list(LANGUAGES) == list(THEIRS)


def test_ids_are_those_of_the_published_tokenizer(base: Checkpoint) -> None:
    listed = json.loads((base.folder / "tokenizer.json").read_text(encoding="utf-8"))
    ids = {token["content"]: token["id"] for token in listed["added_tokens"]}
    vocabulary = Vocabulary.of_size(51_865)
    assert vocabulary.end == ids["<|endoftext|>"]
    assert vocabulary.start == ids["<|startoftranscript|>"]
    assert vocabulary.transcribe == ids["<|transcribe|>"]
    assert vocabulary.no_speech == ids.get("<|nospeech|>", ids.get("<|nocaptions|>"))
    assert vocabulary.no_timestamps == ids["<|notimestamps|>"]
    assert vocabulary.first_timestamp == ids["<|0.00|>"]
    assert all(ids[f"<|{code}|>"] == token for code, token in vocabulary.languages.items())
    assert vocabulary.seconds(ids["<|30.00|>"]) == pytest.approx(30.0)


@pytest.mark.parametrize(("size", "count"), [(51_864, 0), (51_865, 99), (51_866, 100)])
def test_timestamps_end_with_the_vocabulary(size: int, count: int) -> None:
    vocabulary = Vocabulary.of_size(size)
    assert vocabulary.first_timestamp + 1501 == size
    assert len(vocabulary.languages) == count
    assert vocabulary.english_only == (count == 0)


def test_an_english_checkpoint_is_asked_without_language() -> None:
    assert Vocabulary.of_size(51_864).prompt("en") == [50_257]
    assert Vocabulary.of_size(51_865).prompt("de") == [50_258, 50_261, 50_359]


def test_other_sizes_are_no_whisper() -> None:
    with pytest.raises(ValueError, match="32000"):
        Vocabulary.of_size(32_000)


def test_a_list_of_words_is_enough_to_decode(base: Checkpoint) -> None:
    known = TextDecoder.of_folder(base.folder)
    listed = json.loads((base.folder / "tokenizer.json").read_text(encoding="utf-8"))
    words = sorted(listed["model"]["vocab"], key=listed["model"]["vocab"].__getitem__)
    rebuilt = TextDecoder(tokenizer_of_words(words))
    tokens = [1485, 534, 50, 2437, 30, 41251]
    assert rebuilt.text(tokens) == known.text(tokens)
    assert rebuilt.text([]) == ""
