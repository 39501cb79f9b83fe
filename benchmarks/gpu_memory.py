"""What a run takes of a card of a given size, and what it does where that is too little."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from benchmarks.gpu_network import Network, footprint_of, made, network_of, windows
from benchmarks.gpu_ours import Writer
from engine.gpu.allocator import CONTEXT_BYTES, forget_peak, peak_bytes
from engine.gpu.memory import CAP_SHARE, Room, rows_that_fit
from engine.whisper.graphs import Capture, Step

WANTED = 56
"""Windows of the preset `max-schnell`, the largest."""
_ASKED, _FIT = 24, 6
"""Windows of the batch in the case of too little, and for how many there is room."""
_ASKED_OF_CPU, _FIT_CPU = 4, 2


def hold_below(device: torch.device, cap_gb: float) -> None:
    """Let torch run out of memory as on a card of this size, filled as far as the engine may."""
    if device.type == "cuda":
        _hold(device, CAP_SHARE * cap_gb * 1e9 - CONTEXT_BYTES)


def peak_case(name: str, device: torch.device, cap_gb: float, tokens: int) -> dict[str, Any]:
    """The largest preset on a card of this size: how far its batch comes down, and the peak."""
    footprint = footprint_of(name, device)
    card = Room.empty(round(cap_gb * 1e9)).after(footprint.weights_bytes + CONTEXT_BYTES)
    rows = rows_that_fit(card, footprint.row_bytes(), WANTED, footprint.encoder_bytes())
    if device.type == "cpu":
        return {"case": "largest preset", "batch": rows, "unmeasured": "a CPU has no such memory"}
    network = _alone(name, device)
    forget_peak(torch, device)
    done = Writer(network, tokens).write_somehow(windows(rows), rows)
    return {
        "case": "largest preset",
        "wanted": WANTED,
        "batch": rows,
        "batches_tried": done.batches,
        "peak_gb": peak_bytes(torch, device) / 1e9,
        "context_gb": CONTEXT_BYTES / 1e9,
        "encoder_s": done.encoder_s,
        "decoder_s": done.decoder_s,
        "step_ms": 1000 * done.decoder_s / done.steps,
    }


def out_of_memory_case(
    name: str, device: torch.device, cap_gb: float, tokens: int
) -> dict[str, Any]:
    """A batch that is far too large: it is halved until it fits, and no window is lost."""
    network = _alone(name, device)
    tokens, batch = min(tokens, 16), _ASKED_OF_CPU if device.type == "cpu" else _ASKED
    count = batch + 1
    sounds = windows(count)
    expected = Writer(network, tokens).write_somehow(sounds[:2], 2).texts
    _free(device)
    with _too_little(name, device, cap_gb) as capture:
        done = Writer(network, tokens, capture).write_somehow(sounds, batch)
    return {
        "case": "out of memory",
        "simulated": device.type == "cpu",
        "windows": count,
        "batches_tried": done.batches,
        "windows_written": len(done.texts),
        "complete": [len(text) for text in done.texts] == [tokens] * count,
        "first_windows_as_in_a_small_batch": done.texts[:2] == expected,
    }


@contextmanager
def _too_little(name: str, device: torch.device, cap_gb: float) -> Iterator[Capture | None]:
    """Memory for a few windows alone; on the CPU an error that says so."""
    if device.type == "cpu":
        yield _full
        return
    footprint = footprint_of(name, device)
    more = _FIT * footprint.row_bytes() + footprint.encoder_bytes()
    _hold(device, torch.cuda.memory_allocated(device) + more)
    try:
        yield None
    finally:
        hold_below(device, cap_gb)


def _full(step: Step) -> Step:
    """A capture for which there is room only when the batch is small."""

    def replay() -> torch.Tensor:
        logits = step()
        if len(logits) > _FIT_CPU:
            raise torch.OutOfMemoryError("CUDA out of memory, as far as a CPU can say so")
        return logits

    return replay


def _alone(name: str, device: torch.device) -> Network:
    """A network, and nothing else on the card."""
    _free(device)
    network = network_of(made(name, device), device)
    _free(device)
    return network


def _free(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _hold(device: torch.device, most_bytes: float) -> None:
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, most_bytes / total), device)
