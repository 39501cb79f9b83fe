"""One recording transcribed: the model is loaded with the first and stays for those that follow."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from time import perf_counter

import torch

from engine.audio.preparation import PreparedAudio
from engine.gpu.exhaustion import out_of_memory
from engine.gpu.memory import rows_that_fit
from engine.settings import Settings
from engine.transcript import Segment, ordered
from engine.whisper import checkpoints, device
from engine.whisper import language as languages
from engine.whisper.cpu import CpuBackend
from engine.whisper.cuda import CudaBackend
from engine.whisper.decoding import Backend
from engine.whisper.linear import Compute
from engine.whisper.messages import Transcription
from engine.whisper.model import Model, load
from engine.whisper.presets import Preset
from engine.whisper.recording import Recording


@dataclass(frozen=True)
class _Loaded:
    """A model in memory, what was asked for when it was loaded, and what to say about it."""

    asked: tuple[str | None, str, str] | None
    """Name, device, compute; None where the card had no room: the next job tries it again."""
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
        loaded: Callable[[Model], None] = lambda model: None,
        abort: Callable[[], bool] = lambda: False,
        settings: Settings | None = None,
    ) -> Transcription:
        """Transcribe prepared audio; `language` is `auto` or a code, `model` None for the default.

        `progress` is told seconds of speech, done and in all, `segment` every segment as soon as
        it is final, in order, `loaded` a model that had to be loaded. `settings` stand for this job
        in the place of the transcriber's own.

        Raises:
            UnknownModel: no such checkpoint.
            BadCheckpoint: it is damaged.
            BadSettings: it does not know the language, or the device cannot compute so.
            Aborted: `abort` said so.
        """
        # Threads of their own that ran before may have changed the number for this one.
        torch.set_num_threads(self._threads)
        settings = settings or self._settings
        model = model or settings.whisper_model
        if model is not None:
            checkpoints.check_name(model)
        if not prepared.windows:
            return _silence(prepared, preset, language, model, settings)
        before = perf_counter()
        held = self._load(model, language, settings, loaded)
        load_s = perf_counter() - before
        if held.checkpoint.english_only:
            language = "en"
        before = perf_counter()
        recording = Recording(
            prepared,
            words=settings.whisper_word_timestamps,
            progress=progress,
            segment=segment,
            abort=abort,
        )
        device.forget_peak(held.model.device)
        self._write(recording, preset, language, settings, abort)
        peak_mb = device.peak_mb(held.model.device)
        held = self._loaded or held
        return Transcription(
            language=recording.language,
            segments=ordered(recording.segments, prepared.duration_s),
            model=held.model.name,
            preset=preset.name,
            device=held.model.device.type,
            dtype=held.model.compute,
            engine_s=perf_counter() - before,
            load_s=load_s,
            duration_s=prepared.duration_s,
            speech_s=prepared.speech_s,
            peak_vram_mb=peak_mb,
            note=held.note,
            versions=_versions(),
        )

    def _write(
        self,
        recording: Recording,
        preset: Preset,
        language: str,
        settings: Settings,
        abort: Callable[[], bool],
    ) -> None:
        """Out of memory halves the batch, then takes the CPU; what was written stays written."""
        windows = preset.batch_windows
        while True:
            assert self._loaded is not None  # noqa: S101
            model = self._loaded.model
            windows = rows_that_fit(device.room(model.device), model.decoder.row_bytes, windows)
            backend = self._backend(model, windows, settings, abort)
            try:
                recording.write(model, backend, language, settings.whisper_beams)
            except Exception as error:
                on_cuda = model.device.type == "cuda"
                if not out_of_memory(error) or (windows == 1 and not on_cuda):
                    raise
                if windows == 1:  # cuda only
                    self._fall_back()
                    windows = preset.batch_windows
                else:
                    windows //= 2
                _collect()
            else:
                return

    def _backend(
        self, model: Model, windows: int, settings: Settings, abort: Callable[[], bool]
    ) -> Backend:
        if model.device.type == "cuda":  # cuda only
            rest = device.rest_on(model.device, settings, abort)
            return CudaBackend(model, windows, rest=rest)
        return CpuBackend(model, windows, self._threads)

    def _fall_back(self) -> None:  # cuda only
        """The same checkpoint on the CPU."""
        loaded = self._loaded
        assert loaded is not None  # noqa: S101
        self._release()
        cpu = load(loaded.checkpoint, torch.device("cpu"))
        self._loaded = _Loaded(None, cpu, loaded.checkpoint, device.NO_MEMORY)

    def _load(
        self,
        name: str | None,
        language: str,
        settings: Settings,
        loaded: Callable[[Model], None],
    ) -> _Loaded:
        asked = (name, settings.whisper_device, settings.whisper_compute)
        if self._loaded is not None and self._loaded.asked == asked:
            languages.check_language(language, self._loaded.checkpoint)
            return self._loaded
        chosen = device.choose(settings)
        checkpoint = checkpoints.resolve(name, settings, chosen.device.type)
        languages.check_language(language, checkpoint)
        compute = device.compute_on(chosen.device, settings)
        if self._loaded is not None and _is(self._loaded, checkpoint, chosen.device, compute):
            self._loaded = replace(self._loaded, asked=asked, note=chosen.note)
            return self._loaded
        self._release()
        try:
            model = load(checkpoint, chosen.device, compute)
            self._loaded = _Loaded(asked, model, checkpoint, chosen.note)
        except torch.OutOfMemoryError:  # cuda only
            self._release()
            cpu = load(checkpoint, torch.device("cpu"))
            self._loaded = _Loaded(None, cpu, checkpoint, device.NO_MEMORY)
        loaded(self._loaded.model)
        return self._loaded

    def _release(self) -> None:
        """Give the memory back before another model takes its place."""
        self._loaded = None
        _collect()


def _is(
    loaded: _Loaded, checkpoint: checkpoints.Checkpoint, where: torch.device, compute: Compute
) -> bool:
    """Whether this very model is in memory, although it was asked for in other words."""
    model = loaded.model
    held = (loaded.checkpoint, model.device.type, model.compute)
    return held == (checkpoint, where.type, compute)


def _silence(
    prepared: PreparedAudio, preset: Preset, language: str, model: str | None, settings: Settings
) -> Transcription:
    chosen = device.choose(settings)
    return Transcription(
        language=None if language == languages.AUTO else language,
        segments=(),
        model=model or checkpoints.default_name(chosen.device.type),
        preset=preset.name,
        device=chosen.device.type,
        dtype=None,
        engine_s=0.0,
        load_s=0.0,
        duration_s=prepared.duration_s,
        speech_s=prepared.speech_s,
        note=chosen.note,
        versions=_versions(),
    )


def _collect() -> None:
    gc.collect()
    if torch.cuda.is_available():  # cuda only
        torch.cuda.empty_cache()


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("torch", "transformers")}
