"""Which language is spoken."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import torch

from engine.audio.samples import Samples
from engine.errors import BadSettings
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.decoding import FULL_S, MARGIN_S, Backend, check, seconds
from engine.whisper.encoder import Memory
from engine.whisper.model import Model
from engine.whisper.vocabulary import LANGUAGES

AUTO = "auto"
VOTERS = 6
"""Windows that are asked at most."""
_LONG_S = 10.0
"""Of shorter ones the guess is made as Whisper learnt it: filled with silence."""


def check_language(language: str, checkpoint: Checkpoint) -> None:
    """Refuse what a checkpoint cannot write.

    Raises:
        BadSettings: no language of Whisper's, or not English for an English checkpoint.
    """
    if language != AUTO and language not in LANGUAGES:
        raise BadSettings(
            f"WHISPER_LANGUAGE: Whisper knows no `{language}`; "
            f"use auto or one of {', '.join(LANGUAGES)}."
        )
    if checkpoint.english_only and language not in (AUTO, "en"):
        raise BadSettings(
            f"WHISPER_MODEL: {checkpoint.name} knows English alone; "
            f"for `{language}` choose a model without `.en`."
        )


def voters(count: int) -> list[int]:
    """Which of `count` windows are asked: at most six, spread over all of them."""
    if count <= VOTERS:
        return list(range(count))
    return [round((i + 0.5) * count / VOTERS - 0.5) for i in range(VOTERS)]


def spoken(
    model: Model,
    backend: Backend,
    windows: Mapping[int, Samples],
    abort: Callable[[], bool],
) -> tuple[str, dict[int, Memory]]:
    """The language that has the most probability in the sum over these windows, as a code.

    What was heard of windows at the first try's margin comes with it, by their number.

    Raises:
        Aborted: `abort` said so.
    """
    if model.vocabulary.english_only:
        return "en", {}

    def listen(sound: Samples) -> tuple[Memory, bool]:
        with torch.inference_mode(), backend.at_work():  # both belong to a thread
            check(abort)
            reusable = seconds(sound) >= _LONG_S
            return backend.listen([sound], MARGIN_S if reusable else FULL_S)[0], reusable

    with ThreadPoolExecutor(backend.workers, "voter") as pool:
        heard = dict(zip(windows, pool.map(listen, windows.values()), strict=True))
    check(abort)
    with torch.inference_mode():
        batch = backend.batch()
        batch.add([memory for memory, _ in heard.values()])
        codes, tokens = zip(*model.vocabulary.languages.items(), strict=True)
        logits = batch.write([model.vocabulary.start] * len(heard))[:, list(tokens)]
    votes = dict(zip(codes, logits.float().softmax(-1).sum(0).tolist(), strict=True))
    again = {window: memory for window, (memory, reusable) in heard.items() if reusable}
    return max(votes, key=lambda code: votes[code]), again
