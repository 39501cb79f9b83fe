import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from benchmarks.peers import ggml
from benchmarks.peers.openai_form import Dims, renamed

SIZES = {"d_model": 64, "encoder_layers": 2, "decoder_layers": 1, "vocab_size": 300}
HEADS = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
WIDTHS = {"encoder_ffn_dim": 256, "decoder_ffn_dim": 256}


@pytest.fixture(scope="module")
def small() -> WhisperForConditionalGeneration:
    torch.manual_seed(0)
    ids = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"), 1)
    config = WhisperConfig(
        **SIZES, **HEADS, **WIDTHS, **ids, decoder_start_token_id=2, suppress_tokens=[]
    )
    return WhisperForConditionalGeneration(config).eval()


def weights_of(model: WhisperForConditionalGeneration) -> dict[str, ggml.Array]:
    return {
        name: values.numpy()
        for name, values in model.state_dict().items()
        if not name.startswith("proj_out")  # tied
    }


def test_openai_s_model_takes_every_weight_and_gives_the_same_numbers(
    small: WhisperForConditionalGeneration,
) -> None:
    whisper = pytest.importorskip("whisper", reason="openai-whisper is not installed")
    dims = Dims.of_config(small.config.to_dict())
    theirs = whisper.model.Whisper(whisper.model.ModelDimensions(**vars(dims))).eval()
    given = {name: torch.from_numpy(v) for name, v in renamed(weights_of(small)).items()}
    theirs.load_state_dict(given, strict=True)
    mel, tokens = torch.randn(1, dims.n_mels, 3000), torch.tensor([[2, 5, 7]])
    with torch.no_grad():
        expected = small(mel, decoder_input_ids=tokens).logits
        torch.testing.assert_close(theirs(mel, tokens), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "name",
    ["model.encoder.layers.0.fc3.weight", "model.encoder.layers", "model.middle.conv1.weight"],
)
def test_a_weight_that_whisper_lacks_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no weight"):
        renamed({name: np.zeros(1)})


def test_all_bytes_have_a_character_of_their_own() -> None:
    characters = {ggml._BYTES[character]: character for character in ggml._BYTES}
    assert sorted(characters) == list(range(256))
    assert ggml.byte_level("ĠfÃ¼r") == " für".encode()
    assert ggml.byte_level("Ċ") == b"\n"


def test_whisper_cpp_s_file_holds_everything_in_order(tmp_path: Path) -> None:
    dims = Dims(300, 1500, 64, 2, 2, 448, 64, 2, 1, 80)
    filters = np.arange(6, dtype=np.float64).reshape(2, 3)
    weights = {
        "encoder.conv1.weight": np.arange(24, dtype=np.float32).reshape(4, 3, 2),
        "encoder.conv1.bias": np.arange(4, dtype=np.float16),
        "decoder.positional_embedding": np.ones((2, 3), np.float16),
    }
    ggml.write(tmp_path / "m.bin", dims, filters, [b"a", b"", b"\xc3\xbc"], weights)
    data = (tmp_path / "m.bin").read_bytes()
    head = (0x67676D6C, 300, 1500, 64, 2, 2, 448, 64, 2, 1, 80, 1, 2, 3)
    assert struct.unpack_from("<14i", data) == head
    at = 56
    assert np.frombuffer(data, "<f4", 6, at).tolist() == [0, 1, 2, 3, 4, 5]
    at += 24
    words = struct.pack("<ii", 3, 1) + b"a" + struct.pack("<ii", 0, 2) + b"\xc3\xbc"
    assert data[at : at + len(words)] == words
    at += len(words)
    for name, values in weights.items():
        shape, kind, size = [*reversed(values.shape)], "<f4", 4
        if values.ndim == 1:
            shape = [1, *shape]  # the bias of a convolution is a column
        if values.ndim == 3:
            kind, size = "<f2", 2
        head = (len(shape), len(name), int(size == 2), *shape)
        assert struct.unpack_from(f"<{len(head)}i", data, at) == head
        at += 4 * len(head)
        assert data[at : at + len(name)].decode() == name
        at += len(name)
        assert np.frombuffer(data, kind, values.size, at).tolist() == values.ravel().tolist()
        at += size * values.size
    assert at == len(data)
