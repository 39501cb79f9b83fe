import numpy as np
import pytest
import torch
from transformers import WhisperForConditionalGeneration

from engine.audio.samples import Samples
from engine.whisper import network
from engine.whisper.checkpoints import Checkpoint
from engine.whisper.features import log_mel
from engine.whisper.linear import Linear
from engine.whisper.model import Model, best_dtype

TOKENS = [50_258, 50_259, 50_359, 50_364, 440, 17_042]


@pytest.fixture(scope="module")
def theirs(base: Checkpoint) -> WhisperForConditionalGeneration:
    return WhisperForConditionalGeneration.from_pretrained(base.folder, dtype=torch.float32).eval()


@pytest.fixture
def mel(exact_model: Model, speech: Samples) -> torch.Tensor:
    return log_mel(torch.from_numpy(speech), exact_model.filters)


@torch.inference_mode()
def test_logits_equal_those_of_transformers(
    exact_model: Model, theirs: WhisperForConditionalGeneration, mel: torch.Tensor
) -> None:
    expected = theirs(mel[None], decoder_input_ids=torch.tensor([TOKENS])).logits[0]
    state = exact_model.decoder.state([1500])
    state.hear(0, exact_model.encoder(mel))
    prompt = exact_model.decoder(torch.tensor([TOKENS[:3]]), state)[0]
    rest = [exact_model.decoder(torch.tensor([[token]]), state)[0] for token in TOKENS[3:]]
    assert torch.allclose(torch.cat([prompt, *rest]), expected, atol=2e-2, rtol=1e-3)
    assert state.length == len(TOKENS)


@torch.inference_mode()
def test_a_row_is_the_same_alone_and_beside_a_longer_one(
    exact_model: Model, mel: torch.Tensor
) -> None:
    short, full = exact_model.encoder(mel[:, :400]), exact_model.encoder(mel)
    alone, beside = exact_model.decoder.state([200]), exact_model.decoder.state([1500, 200, 200])
    alone.hear(0, short)
    beside.hear(0, full)
    beside.hear(1, short)
    beside.hear(2, short)
    tokens = torch.tensor([TOKENS])
    first = exact_model.decoder(tokens, alone)
    exact_model.decoder(tokens.expand(3, -1), beside)
    beside.keep(torch.tensor([1]))
    one = torch.tensor([[440]])
    after_alone = exact_model.decoder(one, alone)
    after_beside = exact_model.decoder(one, beside)
    assert first.shape == (1, len(TOKENS), 51_865)
    assert torch.allclose(after_alone, after_beside, atol=1e-2, rtol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("with_bias", [True, False])
def test_a_packed_matrix_multiplies_as_an_unpacked_one(dtype: torch.dtype, with_bias: bool) -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(96, 64).to(dtype), torch.randn(3, 5, 64).to(dtype)
    bias = torch.randn(96).to(dtype) if with_bias else None
    ours = Linear(weight, bias)(x)
    expected = torch.nn.functional.linear(x, weight, bias)
    assert torch.allclose(ours.float(), expected.float(), atol=0.1)


def test_the_cpu_computes_in_what_it_is_fast_in() -> None:
    assert best_dtype(torch.device("cpu")) in (torch.bfloat16, torch.float32)


def test_memory_of_a_row_is_known(model: Model) -> None:
    bytes_per_number = 2 if model.dtype == torch.bfloat16 else 4
    assert model.decoder.row_bytes == 2 * 6 * (1500 + 448) * 512 * bytes_per_number
    assert np.isfinite(model.decoder.row_bytes)


def test_plain_attention_equals_torchs_own() -> None:
    torch.manual_seed(0)
    queries, keys, values = (torch.randn(2, 4, n, 64) for n in (3, 9, 9))
    mask = torch.zeros(2, 1, 1, 9)
    mask[1, ..., 5:] = -torch.inf
    expected = torch.nn.functional.scaled_dot_product_attention(
        queries, keys, values, mask, scale=1.0
    )
    ours = network._attention(queries, keys, values, mask)
    assert torch.allclose(ours, expected.transpose(1, 2).flatten(2), atol=1e-4)
