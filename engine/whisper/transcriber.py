"""One recording transcribed: the model is loaded with the first and stays for those that follow."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from time import perf_counter

import torch

from engine.audio.preparation import PreparedAudio
from engine.audio.samples import Samples, read_samples
from engine.audio.windows import Window
from engine.settings import Settings
from engine.transcript import Segment, ordered
from engine.whisper import checkpoints
from engine.whisper import language as languages
from engine.whisper import segments as segments_of
from engine.whisper.batches import in_batches, rows_that_fit
from engine.whisper.decoding import Row, decode
from engine.whisper.messages import Transcription
from engine.whisper.model import Model, load
from engine.whisper.presets import Preset
from engine.whisper.seams import Joiner

_SEED = 0
_NO_CUDA = "There is no CUDA device: the CPU was used."
_NO_MEMORY = "The model does not fit into the CUDA device's memory: the CPU was used."


@dataclass(frozen=True)
class _Loaded:
    """A model in memory, what was asked for when it was loaded, and what to say about it."""

    asked: str | None
    model: Model
    checkpoint: checkpoints.Checkpoint
    note: str | None


class Transcriber:
    """Whisper with the settings' device; holds one model at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = torch.get_num_threads()
        self._loaded: _Loaded | None = None

    def transcribe(
        self,
        prepared: PreparedAudio,
        *,
        preset: Preset,
        language: str,
        model: str | None,
        progress: Callable[[float, float], None] = lambda done_s, total_s: None,
        segment: Callable[[Segment], None] = lambda segment: None,
        abort: Callable[[], bool] = lambda: False,
    ) -> Transcription:
        """Transcribe prepared audio; `language` is `auto` or a code, `model` None for the default.

        `progress` is told seconds done and in all, `segment` every segment as soon as it is
        final, in order.

        Raises:
            UnknownModel: no such checkpoint.
            BadCheckpoint: it is damaged.
            BadSettings: it does not know the language.
            Aborted: `abort` said so.
        """
        # Threads of their own that ran before may have changed the number for this one.
        torch.set_num_threads(self._threads)
        model = model or self._settings.whisper_model
        if model is not None:
            checkpoints.check_name(model)
        if not prepared.windows:
            return self._silence(prepared, preset, language, model)
        before = perf_counter()
        loaded = self._load(model, language)
        load_s = perf_counter() - before
        before = perf_counter()
        work = _Work(loaded.model, prepared, preset, abort)
        spoken = work.language(language)
        found = work.segments(spoken, progress, segment)
        return Transcription(
            language=spoken,
            segments=ordered(found, prepared.duration_s),
            model=loaded.model.name,
            preset=preset.name,
            device=loaded.model.device.type,
            dtype=loaded.model.dtype_name,
            engine_s=perf_counter() - before,
            load_s=load_s,
            duration_s=prepared.duration_s,
            speech_s=prepared.speech_s,
            note=loaded.note,
            versions=_versions(),
        )

    def _silence(
        self, prepared: PreparedAudio, preset: Preset, language: str, model: str | None
    ) -> Transcription:
        device, note = self._device()
        return Transcription(
            language=None if language == languages.AUTO else language,
            segments=(),
            model=model or checkpoints.default_name(device.type),
            preset=preset.name,
            device=device.type,
            dtype=None,
            engine_s=0.0,
            load_s=0.0,
            duration_s=prepared.duration_s,
            speech_s=prepared.speech_s,
            note=note,
            versions=_versions(),
        )

    def _device(self) -> tuple[torch.device, str | None]:
        wanted = self._settings.whisper_device
        if wanted != "cpu" and torch.cuda.is_available():  # cuda only
            return torch.device("cuda"), None
        return torch.device("cpu"), _NO_CUDA if wanted == "cuda" else None

    def _load(self, name: str | None, language: str) -> _Loaded:
        if self._loaded is not None and self._loaded.asked == name:
            languages.check_language(language, self._loaded.checkpoint)
            return self._loaded
        device, note = self._device()
        self._release()
        try:
            self._loaded = self._loaded_on(device, name, language, note)
        except torch.OutOfMemoryError:  # cuda only
            self._release()
            self._loaded = self._loaded_on(torch.device("cpu"), name, language, _NO_MEMORY)
        return self._loaded

    def _loaded_on(
        self, device: torch.device, name: str | None, language: str, note: str | None
    ) -> _Loaded:
        checkpoint = checkpoints.resolve(name, self._settings, device.type)
        languages.check_language(language, checkpoint)
        return _Loaded(name, load(checkpoint, device), checkpoint, note)

    def _release(self) -> None:
        """Give the memory back before another model takes its place."""
        self._loaded = None
        gc.collect()
        if torch.cuda.is_available():  # cuda only
            torch.cuda.empty_cache()


class _Work:
    """One recording on its way through a loaded model."""

    def __init__(
        self, model: Model, prepared: PreparedAudio, preset: Preset, abort: Callable[[], bool]
    ) -> None:
        self._model = model
        self._prepared = prepared
        self._rows = rows_that_fit(model, preset.batch_windows)
        self._generator = torch.Generator(model.device).manual_seed(_SEED)
        self._abort = abort

    def language(self, asked: str) -> str:
        """The language asked for, or the one that is spoken."""
        if asked != languages.AUTO:
            return asked
        windows = self._prepared.windows
        some = [self._samples(windows[i]) for i in languages.voters(len(windows))]
        return languages.spoken(self._model, some, self._abort)

    def segments(
        self,
        language: str,
        progress: Callable[[float, float], None],
        segment: Callable[[Segment], None],
    ) -> list[Segment]:
        """All segments, in order; told as soon as they are final."""
        total_s, joiner = self._prepared.duration_s, Joiner()
        found: list[Segment] = []

        def take(final: Sequence[Segment]) -> None:
            for one in final:
                found.append(one)
                segment(one)

        def write(windows: Sequence[Window]) -> list[Row]:
            heard = [self._samples(window) for window in windows]
            generator, abort = self._generator, self._abort
            return decode(self._model, heard, language, generator=generator, abort=abort)

        progress(0.0, total_s)
        for windows, rows in in_batches(self._prepared.windows, self._rows, write):
            for window, row in zip(windows, rows, strict=True):
                vocabulary, text = self._model.vocabulary, self._model.text
                take(
                    joiner.add(window, segments_of.of_tokens(row.tokens, window, vocabulary, text))
                )
            progress(windows[-1].end_s, total_s)
        take(joiner.finish())
        progress(total_s, total_s)
        return found

    def _samples(self, window: Window) -> Samples:
        gain_db = self._prepared.gain_db
        return read_samples(self._prepared.wav, gain_db, window.start_s, window.end_s)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("torch", "transformers")}
