"""The CUDA loop on CPU tensors, beside the batch that pads nothing and records nothing."""

import random
from collections.abc import Iterator, Sequence

import pytest
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from engine.audio.samples import Samples
from engine.audio.windows import Span
from engine.whisper import decoding
from engine.whisper.cpu import CpuBackend
from engine.whisper.cuda import CudaBackend
from engine.whisper.decoder import Decoder
from engine.whisper.decoding import Backend, Manner, Scribe
from engine.whisper.encoder import Encoder, Memory
from engine.whisper.graphs import Bucket, Capture, Graphs, Step, call
from engine.whisper.linear import Linear
from engine.whisper.model import Model
from engine.whisper.ragged import RaggedBatch
from engine.whisper.rows import Row
from engine.whisper.static import StaticBatch
from engine.whisper.tasks import Tasks
from tests.engine.whisper.conftest import noise
from tests.engine.whisper.tape import Tape

WINDOWS = 50
TOKENS = 51_865


class Sounds:
    """The windows of a recording that is made of these."""

    def __init__(self, sounds: Sequence[Samples]) -> None:
        self._sounds = sounds

    def sound(self, number: int) -> Samples:
        return self._sounds[number]

    def speech(self, number: int) -> Sequence[Span]:
        return []


class Listening(CudaBackend):
    """Hears what another has heard before no second time: that is most of the work."""

    def __init__(
        self,
        model: Model,
        windows: int,
        capture: Capture = call,
        heard: dict[object, list[Memory]] | None = None,
    ) -> None:
        super().__init__(model, windows, capture)
        self.heard = {} if heard is None else heard

    def listen(self, sounds: Sequence[Samples], margin_s: float) -> list[Memory]:
        key = margin_s, *map(id, sounds)
        if key not in self.heard:
            self.heard[key] = super().listen(sounds, margin_s)
        return self.heard[key]


class Plain(Listening):
    """Writes without padding or recording."""

    def batch(self) -> RaggedBatch:  # type: ignore[override]
        return RaggedBatch(self._model.decoder)


def rows_of(model: Model, backend: Backend, sounds: Sequence[Samples], manner: Manner) -> list[Row]:
    numbers = range(len(sounds))
    tasks = Tasks(numbers)
    Scribe(model, backend, tasks, Sounds(sounds), manner, {}, lambda: False).work()
    return list(tasks.results(numbers))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The steps are too small for more, and threads that wait slow down whatever runs beside."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def sounds(speech: Samples) -> list[Samples]:
    """Windows of various lengths from all over the talk, some under noise, some without speech."""
    drawn = random.Random(0)
    made = []
    for number in range(WINDOWS):
        if number % 10 == 9:
            made.append(noise(0.5 + number / 20, 0.02))
            continue
        length = int(drawn.uniform(0.8, 3.0) * 16_000)
        first = drawn.randrange(len(speech) - length)
        part = speech[first : first + length]
        made.append(part + noise(length / 16_000, 0.005)[: len(part)] if number % 5 == 4 else part)
    return made


@pytest.fixture(scope="module")
def parts() -> tuple[Encoder, Decoder]:
    """A network of two layers with random weights."""
    sizes = {"encoder_layers": 1, "decoder_layers": 2, "d_model": 128}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=TOKENS, encoder_ffn_dim=64, decoder_ffn_dim=64, **sizes, **heads
    )
    whisper = WhisperForConditionalGeneration(config).eval().requires_grad_(False)
    return Encoder(whisper.model, Linear), Decoder(whisper.model, Linear)


def heard(encoder: Encoder, *frames: int) -> list[Memory]:
    return [memory for n in frames for memory in encoder(torch.randn(1, 80, n))]


@pytest.mark.e2e
def test_fifty_windows_give_the_same_tokens_as_the_plain_loop(
    exact_model: Model, sounds: list[Samples], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real list has 30 s of silence from the second try on, which takes a CPU minutes.
    monkeypatch.setattr(decoding, "TRIES", ((0.0, 1.0), (0.4, 1.0)))
    english, tape = Manner("en"), Tape()
    backend = Listening(exact_model, 12, tape)
    static = rows_of(exact_model, backend, sounds, english)
    plain = rows_of(exact_model, Plain(exact_model, 12, heard=backend.heard), sounds, english)
    assert [row.tokens for row in static] == [row.tokens for row in plain]
    assert sum(len(row.tokens) for row in plain) > 5 * WINDOWS
    assert tape.captures < tape.replays


def test_a_window_alone_gives_the_same_tokens_as_on_the_cpu(
    exact_model: Model, sounds: list[Samples]
) -> None:
    english = Manner("en")
    for sound in sounds[:4]:
        (static,) = rows_of(exact_model, CudaBackend(exact_model, 1, call), [sound], english)
        (plain,) = rows_of(exact_model, CpuBackend(exact_model, 1, 1), [sound], english)
        assert static.tokens == plain.tokens


def test_beams_give_the_same_tokens_as_the_plain_loop(
    exact_model: Model, sounds: list[Samples]
) -> None:
    beams, some = Manner("en", beams=3), sounds[:3]
    static = rows_of(exact_model, CudaBackend(exact_model, 2, Tape()), some, beams)
    plain = rows_of(exact_model, Plain(exact_model, 2), some, beams)
    assert [row.tokens for row in static] == [row.tokens for row in plain]


@torch.inference_mode()
@pytest.mark.parametrize("seed", range(4))
def test_rows_come_go_and_multiply_as_in_a_batch_without_slots(
    parts: tuple[Encoder, Decoder], seed: int
) -> None:
    encoder, decoder = parts
    drawn, tape = random.Random(seed), Tape()
    torch.manual_seed(seed)
    static, ragged = StaticBatch(decoder, 5, Graphs(tape)), RaggedBatch(decoder)
    rows = 0
    for step in range(60):
        if rows == 0 or step % 15 == 0:
            new = heard(encoder, *drawn.choices((100, 400, 900, 3000), k=drawn.randint(1, 3)))
            static.add(new)
            ragged.add(new)
            rows += len(new)
        tokens = drawn.choices(range(TOKENS), k=rows)
        assert torch.allclose(static.write(tokens), ragged.write(tokens), atol=1e-4)
        if step % 4 == 0:
            kept = drawn.choices(range(rows), k=drawn.randint(0, min(rows + 2, 14)))
            static.keep(kept)
            ragged.keep(kept)
            rows = len(kept)
    assert tape.replays > 20


@torch.inference_mode()
def test_what_a_row_heard_can_be_asked_for_wherever_the_row_is(
    parts: tuple[Encoder, Decoder],
) -> None:
    encoder, decoder = parts
    memories = heard(encoder, 100, 300, 200, 500, 600)
    batch = StaticBatch(decoder, 5, Graphs(Tape()))
    batch.add(memories)
    batch.keep([4, 2, 4])
    batch.write([1, 2, 3])
    for row, number in enumerate((4, 2, 4)):
        found, expected = batch.memory(row), memories[number]
        assert found.positions == expected.positions
        for ours, theirs in zip(
            found.keys + found.values, expected.keys + expected.values, strict=True
        ):
            assert torch.equal(ours, theirs)


class Watched(Graphs):
    """Notes the buckets, and where the tensors lay at each step."""

    def __init__(self, capture: Tape) -> None:
        super().__init__(capture)
        self.buckets: list[Bucket] = []
        self.drops = 0

    def run(self, bucket: Bucket, step: Step) -> torch.Tensor:
        self.buckets.append(bucket)
        return super().run(bucket, step)

    def drop(self) -> None:
        self.drops += 1
        super().drop()


@torch.inference_mode()
def test_the_room_for_what_is_written_grows_and_each_bucket_is_captured_once(
    parts: tuple[Encoder, Decoder],
) -> None:
    encoder, decoder = parts
    tape = Tape()
    graphs = Watched(tape)
    batch = StaticBatch(decoder, 2, graphs)
    batch.add(heard(encoder, 100))
    drops = graphs.drops
    for _ in range(decoder.capacity):
        logits = batch.write([440])
    assert torch.isfinite(logits).all()
    assert list(dict.fromkeys(b.room for b in graphs.buckets)) == [64, 128, 256, 448]
    assert tape.captures == 4
    assert graphs.drops == drops + 1, "only what outgrows the tensors costs the graphs"


@torch.inference_mode()
def test_rows_that_leave_make_the_bucket_smaller_and_move_no_tensor(
    parts: tuple[Encoder, Decoder],
) -> None:
    encoder, decoder = parts
    graphs = Watched(Tape())
    batch = StaticBatch(decoder, 12, graphs)
    batch.add(heard(encoder, *[200] * 8, *[700] * 4))
    drops, place = graphs.drops, batch.memory(0).keys[0].data_ptr()
    for left in range(12, 0, -1):
        for _ in range(2):
            batch.write([440] * left)
        assert batch.memory(0).keys[0].data_ptr() == place
        batch.keep([row for row in range(left) if row != left // 3])
    assert [b.rows for b in graphs.buckets[::2]] == [12] * 4 + [8] * 4 + [4] * 2 + [2, 1]
    assert {b.positions for b in graphs.buckets} == {384}
    assert graphs.drops == drops


@torch.inference_mode()
def test_tensors_move_only_after_what_was_captured_is_dropped(
    parts: tuple[Encoder, Decoder],
) -> None:
    encoder, decoder = parts
    graphs = Watched(Tape())
    batch = StaticBatch(decoder, 13, graphs)
    before: tuple[int, int] | None = None
    moved = 0
    for rows, frames in ((3, 20), (3, 40), (2, 20), (1, 20), (4, 20), (1, 20), (1, 3000), (1, 20)):
        batch.add(heard(encoder, *[frames] * rows))
        now = batch.memory(0).keys[0].data_ptr(), graphs.drops
        if before and now[0] != before[0]:
            assert now[1] > before[1]
            moved += 1
        before = now
    assert moved == 4, "at 8 rows, at 13, at 16, and for 30 s"
    assert batch.write([440] * 16).shape[0] == 16
    assert graphs.buckets[-1] == Bucket(16, room=64, positions=1504)


@torch.inference_mode()
def test_a_batch_takes_no_more_rows_than_are_expected(parts: tuple[Encoder, Decoder]) -> None:
    encoder, decoder = parts
    graphs = Watched(Tape())
    batch = StaticBatch(decoder, 13, graphs)
    for count in (1, 8, 4):
        batch.add(heard(encoder, *[20] * count))
    batch.write([440] * 13)
    assert graphs.buckets[-1].rows == 13
