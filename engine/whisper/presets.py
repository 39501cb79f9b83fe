"""The presets: how much audio is worked on at a time."""

from dataclasses import dataclass, replace

from engine.settings import PresetName, Settings


@dataclass(frozen=True)
class Preset:
    """What is worked on at a time; the batch is an upper bound that free memory lowers."""

    name: str
    batch_windows: int
    chunk_seconds: float
    overlap_seconds: float
    preparation_threads: int


PRESETS: dict[PresetName, Preset] = {
    "stabil": Preset("stabil", 8, 20, 2, 1),
    "optimiert": Preset("optimiert", 16, 30, 3, 2),
    "schnell": Preset("schnell", 32, 45, 5, 4),
    "max-schnell": Preset("max-schnell", 56, 60, 8, 6),
}


def chosen(settings: Settings) -> Preset:
    """The preset of the settings, with the single values that override it."""
    preset = PRESETS[settings.whisper_preset]
    if settings.whisper_batch is not None:
        preset = replace(preset, batch_windows=settings.whisper_batch)
    if settings.whisper_chunk_seconds is not None:
        preset = replace(preset, chunk_seconds=settings.whisper_chunk_seconds)
    if settings.whisper_overlap_seconds is not None:
        preset = replace(preset, overlap_seconds=settings.whisper_overlap_seconds)
    return preset
