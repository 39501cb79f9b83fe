import pytest

from engine.settings import PresetName, Settings, load
from engine.whisper.presets import PRESETS, Preset, chosen


@pytest.mark.parametrize(
    ("name", "batch", "chunk", "overlap", "threads"),
    [
        ("stabil", 8, 20, 2, 1),
        ("optimiert", 16, 30, 3, 2),
        ("schnell", 32, 45, 5, 4),
        ("max-schnell", 56, 60, 8, 6),
    ],
)
def test_presets_are_the_promised_ones(
    name: PresetName, batch: int, chunk: float, overlap: float, threads: int
) -> None:
    assert PRESETS[name] == Preset(name, batch, chunk, overlap, threads)


def test_single_values_override_the_preset() -> None:
    settings = load(
        whisper_preset="schnell",
        whisper_batch=3,
        whisper_chunk_seconds=12,
        whisper_overlap_seconds=1,
    )
    assert chosen(settings) == Preset("schnell", 3, 12, 1, 4)


def test_the_default_is_optimiert(settings: Settings) -> None:
    assert chosen(settings) is PRESETS["optimiert"]
