from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import WhisperConfig, WhisperForConditionalGeneration

from engine.gpu.allocator import CONTEXT_BYTES
from engine.gpu.memory import CAP_SHARE, Footprint, Room, rows_that_fit
from engine.whisper.presets import PRESETS

GB, GIB, MIB = 10**9, 1024**3, 1024**2
LARGE = WhisperConfig(
    d_model=1280,
    encoder_layers=32,
    decoder_layers=32,
    encoder_attention_heads=20,
    decoder_attention_heads=20,
    encoder_ffn_dim=5120,
    decoder_ffn_dim=5120,
    num_mel_bins=128,
    vocab_size=51866,
)
TURBO = WhisperConfig(**{**LARGE.to_dict(), "decoder_layers": 4})
TINY = WhisperConfig(
    d_model=384,
    encoder_layers=4,
    decoder_layers=4,
    encoder_ffn_dim=1536,
    decoder_ffn_dim=1536,
    num_mel_bins=80,
    vocab_size=51865,
)
MOST = PRESETS["max-schnell"].batch_windows
FOOTPRINTS = st.sampled_from([Footprint(config, 2) for config in (LARGE, TURBO, TINY)])
ROOMS = st.builds(
    Room,
    st.integers(2 * GB, 200 * GB),
    st.integers(0, 200 * GB),
    st.integers(0, 30 * GB),
)


def rows_on(total_bytes: float, config: WhisperConfig, wanted: int = MOST) -> int:
    """Rows beside the model, on a card on which a desktop holds 1 GB."""
    footprint = Footprint(config, 2)
    room = Room.empty(int(total_bytes), GB).after(CONTEXT_BYTES + footprint.weights_bytes)
    return rows_that_fit(room, footprint.row_bytes(), wanted, footprint.encoder_bytes())


@pytest.mark.parametrize("config", [LARGE, TURBO, TINY], ids=["large-v3", "turbo", "tiny"])
def test_the_weights_are_counted_as_transformers_makes_them(config):
    with torch.device("meta"):
        whisper = WhisperForConditionalGeneration(config)
    numbers = sum(weights.numel() for weights in whisper.parameters())
    assert Footprint(config, 2).weights_bytes == 2 * numbers


def test_large_v3_takes_what_was_counted_by_hand():
    footprint = Footprint(LARGE, 2)
    assert footprint.weights_bytes == pytest.approx(3.1 * GB, rel=0.01)
    assert footprint.heard_bytes == pytest.approx(246e6, rel=0.01)
    written = footprint.row_bytes(448) - footprint.row_bytes(0)
    assert written == 2 * 32 * 448 * 1280 * 2
    assert footprint.row_bytes() == footprint.row_bytes(448)
    assert Footprint(TURBO, 2).heard_bytes * 8 == footprint.heard_bytes
    assert Footprint(LARGE, 4).weights_bytes == 2 * footprint.weights_bytes


def test_the_encoder_holds_its_windows_keys_and_values_once_more():
    footprint = Footprint(LARGE, 2)
    beside = footprint.encoder_bytes(8) - 8 * footprint.heard_bytes
    assert beside == 8 * footprint.encoder_bytes(1) - 8 * footprint.heard_bytes
    assert 0.3 * GB < beside < 1 * GB


@pytest.mark.parametrize("total_gib", [23.6, 23.99, 24.0])
def test_large_v3_at_max_schnell_stays_below_22_gb_on_a_24_gb_card(total_gib):
    footprint = Footprint(LARGE, 2)
    rows = rows_on(total_gib * GIB, LARGE)
    held = CONTEXT_BYTES + footprint.weights_bytes + footprint.encoder_bytes()
    assert held + rows * footprint.row_bytes() < 22 * GB
    assert PRESETS["schnell"].batch_windows < rows < MOST


def test_turbo_needs_no_smaller_batch_there():
    assert rows_on(23.6 * GIB, TURBO) == MOST


def test_tb6_no_size_of_card_is_a_threshold():
    totals = range(int(23.5 * GIB), int(24.5 * GIB), 32 * MIB)
    rows = [rows_on(total, LARGE) for total in totals]
    assert all(0 <= after - before <= 1 for before, after in pairwise(rows))


@given(FOOTPRINTS, ROOMS, st.integers(1, 256), st.integers(0, 4 * GB))
def test_the_rows_never_pass_the_cap_nor_what_is_free(footprint, room, wanted, reserve):
    row_bytes = footprint.row_bytes()
    rows = rows_that_fit(room, row_bytes, wanted, reserve)
    assert 1 <= rows <= wanted
    if rows > 1:  # one row is tried whatever there is
        taken = rows * row_bytes + reserve
        assert taken <= room.free_bytes
        assert taken + room.held_bytes <= CAP_SHARE * room.total_bytes


@given(FOOTPRINTS, ROOMS, st.integers(1, 256), st.integers(0, 4 * GB), st.integers(0, 50 * GB))
def test_more_free_memory_never_means_fewer_rows(footprint, room, wanted, reserve, more):
    def rows(room: Room) -> int:
        return rows_that_fit(room, footprint.row_bytes(), wanted, reserve)

    freer = Room(room.total_bytes, room.free_bytes + more, room.held_bytes)
    assert rows(freer) >= rows(room)
    assert rows(room.after(more)) <= rows(room)


@given(FOOTPRINTS, ROOMS, st.integers(1, 256))
def test_the_batch_is_as_large_as_it_may_be(footprint, room, wanted):
    rows = rows_that_fit(room, footprint.row_bytes(), wanted)
    if rows < wanted:
        assert (rows + 1) * footprint.row_bytes() > 0.94 * room.open_bytes
