"""Which language is spoken."""

from collections import Counter
from collections.abc import Callable, Sequence

import torch

from engine.audio.samples import Samples
from engine.errors import BadSettings
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.listening import check, listen
from engine.whisper.model import Model
from engine.whisper.vocabulary import LANGUAGES

AUTO = "auto"
VOTERS = 6
"""Windows that are asked at most."""
_MARGIN_S = 30.0
"""Short windows are filled with silence: this one guess decides over all that follows."""


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


@torch.inference_mode()
def spoken(model: Model, windows: Sequence[Samples], abort: Callable[[], bool]) -> str:
    """The language that has the most probability in the sum over these windows, as a code.

    Raises:
        Aborted: `abort` said so.
    """
    if model.vocabulary.english_only:
        return "en"
    votes: Counter[str] = Counter()
    codes, tokens = zip(*model.vocabulary.languages.items(), strict=True)
    state = listen(model, windows, _MARGIN_S, abort)
    check(abort)
    start = torch.full((len(windows), 1), model.vocabulary.start, device=model.device)
    logits = model.decoder(start, state)[:, 0, list(tokens)]
    for row in logits.float().softmax(-1).tolist():
        votes.update(dict(zip(codes, row, strict=True)))
    return votes.most_common(1)[0][0]
