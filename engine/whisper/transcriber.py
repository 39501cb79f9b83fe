"""One recording transcribed: the model is loaded with the first and stays for those that follow."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
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
from engine.whisper.messages import Transcription
from engine.whisper.model import Model, load
from engine.whisper.presets import Preset
from engine.whisper.recording import Recording


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

        `progress` is told seconds of speech, done and in all, `segment` every segment as soon as
        it is final, in order.

        Raises:
            UnknownModel: no such checkpoint.
            BadCheckpoint: it is damaged.
            BadSettings: it does not know the language, or the device cannot compute so.
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
        if loaded.checkpoint.english_only:
            language = "en"
        before = perf_counter()
        recording = Recording(
            prepared,
            words=self._settings.whisper_word_timestamps,
            progress=progress,
            segment=segment,
            abort=abort,
        )
        device.forget_peak(loaded.model.device)
        self._write(recording, preset, language, abort)
        peak_mb = device.peak_mb(loaded.model.device)
        loaded = self._loaded or loaded
        return Transcription(
            language=recording.language,
            segments=ordered(recording.segments, prepared.duration_s),
            model=loaded.model.name,
            preset=preset.name,
            device=loaded.model.device.type,
            dtype=loaded.model.compute,
            engine_s=perf_counter() - before,
            load_s=load_s,
            duration_s=prepared.duration_s,
            speech_s=prepared.speech_s,
            peak_vram_mb=peak_mb,
            note=loaded.note,
            versions=_versions(),
        )

    def _write(
        self, recording: Recording, preset: Preset, language: str, abort: Callable[[], bool]
    ) -> None:
        """Out of memory halves the batch, then takes the CPU; what was written stays written."""
        windows = preset.batch_windows
        while True:
            assert self._loaded is not None  # noqa: S101
            model = self._loaded.model
            windows = rows_that_fit(device.room(model.device), model.decoder.row_bytes, windows)
            backend = self._backend(model, windows, abort)
            try:
                recording.write(model, backend, language, self._settings.whisper_beams)
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

    def _backend(self, model: Model, windows: int, abort: Callable[[], bool]) -> Backend:
        if model.device.type == "cuda":  # cuda only
            rest = device.rest_on(model.device, self._settings, abort)
            return CudaBackend(model, windows, rest=rest)
        return CpuBackend(model, windows, self._threads)

    def _fall_back(self) -> None:  # cuda only
        """The same checkpoint on the CPU."""
        loaded = self._loaded
        assert loaded is not None  # noqa: S101
        self._release()
        cpu = load(loaded.checkpoint, torch.device("cpu"))
        self._loaded = _Loaded(loaded.asked, cpu, loaded.checkpoint, device.NO_MEMORY)

    def _silence(
        self, prepared: PreparedAudio, preset: Preset, language: str, model: str | None
    ) -> Transcription:
        chosen = device.choose(self._settings)
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

    def _load(self, name: str | None, language: str) -> _Loaded:
        if self._loaded is not None and self._loaded.asked == name:
            languages.check_language(language, self._loaded.checkpoint)
            return self._loaded
        chosen = device.choose(self._settings)
        self._release()
        try:
            self._loaded = self._loaded_on(chosen, name, language)
        except torch.OutOfMemoryError:  # cuda only
            self._release()
            cpu = device.Choice(torch.device("cpu"), device.NO_MEMORY)
            self._loaded = self._loaded_on(cpu, name, language)
        return self._loaded

    def _loaded_on(self, chosen: device.Choice, name: str | None, language: str) -> _Loaded:
        checkpoint = checkpoints.resolve(name, self._settings, chosen.device.type)
        languages.check_language(language, checkpoint)
        compute = device.compute_on(chosen.device, self._settings)
        return _Loaded(name, load(checkpoint, chosen.device, compute), checkpoint, chosen.note)

    def _release(self) -> None:
        """Give the memory back before another model takes its place."""
        self._loaded = None
        _collect()


def _collect() -> None:
    gc.collect()
    if torch.cuda.is_available():  # cuda only
        torch.cuda.empty_cache()


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("torch", "transformers")}
