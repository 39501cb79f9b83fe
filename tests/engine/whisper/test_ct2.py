import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.whisper import ct2


def word(text: str) -> bytes:
    raw = text.encode() + b"\0"
    return struct.pack("<H", len(raw)) + raw


def variable(name: str, values: np.ndarray, kind: int) -> bytes:
    raw = values.tobytes()
    shape = struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
    return word(name) + shape + struct.pack("<BI", kind, len(raw)) + raw


def model(*variables: bytes, spec: str = "WhisperSpec", version: int = 6) -> bytes:
    head = struct.pack("<I", version) + word(spec) + struct.pack("<II", 3, len(variables))
    return head + b"".join(variables) + struct.pack("<I", 0)


QKV = np.arange(6, dtype=np.float16)
SMALL = model(
    variable("encoder/layer_norm/gamma", np.ones(2, np.float16), 4),
    variable("decoder/layer_0/self_attention/linear_0/bias", QKV, 4),
    variable("decoder/layer_0/attention/linear_1/weight", np.eye(4, 2, dtype=np.float16), 4),
    variable("decoder/num_heads", np.array(8, np.int16), 2),
)


def test_stacked_projections_come_apart() -> None:
    weights = dict(ct2.transformers_weights(ct2.read_variables(SMALL)))
    layer = "model.decoder.layers.0"
    assert list(weights[f"{layer}.self_attn.q_proj.bias"]) == [0, 1]
    assert list(weights[f"{layer}.self_attn.v_proj.bias"]) == [4, 5]
    assert weights[f"{layer}.encoder_attn.k_proj.weight"].shape == (2, 2)
    assert list(weights["model.encoder.layer_norm.weight"]) == [1, 1]


def test_keys_get_no_bias() -> None:
    names = dict(ct2.transformers_weights(ct2.read_variables(SMALL)))
    assert not [name for name in names if name.endswith("k_proj.bias")]


def test_quantised_rows_get_their_scale_back() -> None:
    quantised = np.array([[127, -127], [64, 0]], np.int8)
    data = model(
        variable("decoder/layer_0/ffn/linear_0/weight", quantised, 1),
        variable("decoder/layer_0/ffn/linear_0/weight_scale", np.array([127, 64], np.float32), 0),
    )
    (_, weight), *rest = ct2.transformers_weights(ct2.read_variables(data))
    assert weight.tolist() == [[1, -1], [1, 0]]
    assert not rest


def test_bfloat16_is_read() -> None:
    raw = (np.array([1.5, -2.0], np.float32).view(np.uint32) >> 16).astype(np.uint16)
    variables = ct2.read_variables(model(variable("encoder/layer_norm/beta", raw, 5)))
    assert variables["encoder/layer_norm/beta"].tolist() == [1.5, -2.0]


def test_heads_are_told_or_have_64_values_each() -> None:
    variables = ct2.read_variables(
        model(
            variable("decoder/num_heads", np.array(8, np.int16), 2),
            variable("encoder/position_encodings/encodings", np.zeros((3, 128), np.float16), 4),
        )
    )
    assert ct2.heads(variables, "decoder") == 8
    assert ct2.heads(variables, "encoder") == 2


@pytest.mark.parametrize(
    "data",
    [
        model(spec="TransformerSpec"),
        model(version=99),
        model(variable("encoder/layer_norm/beta", np.zeros(2, np.float16), 9)),
        word("x"),
    ],
)
def test_what_is_no_whisper_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, struct.error)):
        ct2.read_variables(data)


@pytest.mark.parametrize("name", ["encoder/strange/weight", "encoder/layer_0/strange/weight"])
def test_a_variable_that_whisper_lacks_is_refused(name: str) -> None:
    variables = {name: np.zeros(2, np.float16)}
    with pytest.raises(ValueError, match="unknown"):
        dict(ct2.transformers_weights(variables))


@given(st.integers(0, len(SMALL) - 5))
def test_a_file_that_ends_early_is_refused(length: int) -> None:
    with pytest.raises((ValueError, struct.error)):
        ct2.read_variables(SMALL[:length])


@given(st.integers(0, len(SMALL) - 1), st.integers(0, 255))
def test_a_changed_byte_never_reads_outside_the_file(place: int, value: int) -> None:
    damaged = bytearray(SMALL)
    damaged[place] = value
    try:
        dict(ct2.transformers_weights(ct2.read_variables(bytes(damaged))))
    except (ValueError, KeyError):
        return
