"""Encoder, decoder and batch together, beside transformers' own network."""

import pytest
import torch
from transformers import WhisperForConditionalGeneration

from engine.audio.samples import Samples
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.encoder import Memory
from engine.whisper.features import log_mel
from engine.whisper.hearing import frames, hear
from engine.whisper.model import Model, best_compute, dtype_of
from engine.whisper.ragged import RaggedBatch

TOKENS = [50_258, 50_259, 50_359, 50_364, 440, 17_042]


@pytest.fixture(scope="module")
def theirs(base: Checkpoint) -> WhisperForConditionalGeneration:
    return WhisperForConditionalGeneration.from_pretrained(base.folder, dtype=torch.float32).eval()


@pytest.fixture
def mel(exact_model: Model, speech: Samples) -> torch.Tensor:
    return log_mel(torch.from_numpy(speech), exact_model.filters)


def batch(model: Model, *memories: Memory) -> RaggedBatch:
    made = RaggedBatch(model.decoder)
    made.add(memories)
    return made


@torch.inference_mode()
def test_logits_equal_those_of_transformers(
    exact_model: Model, theirs: WhisperForConditionalGeneration, mel: torch.Tensor
) -> None:
    expected = theirs(mel[None], decoder_input_ids=torch.tensor([TOKENS])).logits[0]
    rows = batch(exact_model, *exact_model.encoder(mel[None]))
    ours = torch.cat([rows.write([token]) for token in TOKENS])
    assert torch.allclose(ours, expected, atol=2e-2, rtol=1e-3)


@torch.inference_mode()
def test_a_row_is_the_same_alone_and_beside_others_that_came_later(
    exact_model: Model, mel: torch.Tensor
) -> None:
    (short,), (full,) = exact_model.encoder(mel[None, :, :400]), exact_model.encoder(mel[None])
    alone, beside = batch(exact_model, short), batch(exact_model, full, short)
    for token in TOKENS:
        expected = alone.write([token])
        beside.write([440, token])
    beside.add([short, full])
    beside.keep([2, 1, 3])
    late = batch(exact_model, short).write(TOKENS[:1])
    expected = alone.write([440])
    logits = beside.write([TOKENS[0], 440, 440])
    assert torch.allclose(logits[:2], torch.cat([late, expected]), atol=1e-2, rtol=1e-3)


@torch.inference_mode()
def test_a_row_may_become_two(exact_model: Model, mel: torch.Tensor) -> None:
    (heard,) = exact_model.encoder(mel[None, :, :600])
    one, two = batch(exact_model, heard), batch(exact_model, heard)
    one.write(TOKENS[:1])
    two.write(TOKENS[:1])
    two.keep([0, 0])
    logits = two.write([440, 17_042])
    assert torch.allclose(logits[0], one.write([440])[0], atol=1e-2, rtol=1e-3)
    assert not torch.allclose(logits[0], logits[1], atol=1.0)


@pytest.mark.e2e
@torch.inference_mode()
def test_a_row_may_be_as_long_as_the_decoder_allows(model: Model, mel: torch.Tensor) -> None:
    rows = batch(model, *model.encoder(mel[None, :, :200].to(model.dtype)))
    for _ in range(model.decoder.capacity):
        logits = rows.write([440])
    assert torch.isfinite(logits).all()


@torch.inference_mode()
def test_windows_heard_together_are_heard_as_alone(exact_model: Model, speech: Samples) -> None:
    short = speech[: 2 * 16_000]
    both = hear(exact_model, [speech, short], 1.0)
    assert [m.positions for m in both] == [frames(s, 1.0) // 2 for s in (speech, short)]
    assert both[1].positions == 150
    (alone,) = hear(exact_model, [speech], 1.0)
    assert torch.allclose(both[0].keys[3], alone.keys[3], atol=1e-3)


def test_the_cpu_computes_in_what_it_is_fastest_in() -> None:
    compute = best_compute(torch.device("cpu"))
    assert compute in ("int8", "bfloat16", "float32")
    assert dtype_of(compute) in (torch.bfloat16, torch.float32)


def test_memory_of_a_row_is_known(model: Model) -> None:
    bytes_per_number = 2 if model.dtype == torch.bfloat16 else 4
    assert model.decoder.row_bytes == 2 * 6 * (1500 + 448) * 512 * bytes_per_number
