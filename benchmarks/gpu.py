"""This engine on a GPU beside transformers: real sizes, random weights, a forced number of tokens.

python -m benchmarks.gpu [--models large-v3 turbo] [--batches 16 24] [--rounds N] [--windows N]
                         [--tokens N] [--cap-gb N] [--out FILE.json]
python -m benchmarks.gpu --device cpu --tiny

Each contestant writes the same windows of 30 s, in turn, and gives every window as many tokens. The
clock covers features, encoder and all steps; this engine's covers the recording of its graphs too.
`floor_s` is the least time that the device needs, from the rates that it was measured at. Memory is
held below the cap throughout. With `--device cpu --tiny` the same program runs on a processor, to
try it; its figures mean nothing.
"""

import argparse
import json
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks import gpu_floor
from benchmarks.gpu_memory import hold_below, out_of_memory_case, peak_case
from benchmarks.gpu_network import WINDOW_S, made, network_of, wall_s, windows
from benchmarks.gpu_ours import Writer
from benchmarks.gpu_peer import Generate, Pipeline
from engine.audio.samples import Samples
from engine.gpu.exhaustion import out_of_memory
from engine.gpu.tuning import tune
from engine.whisper.graphs import call

OURS = "tonspur"
PEER = "transformers pipeline"
Contestant = Callable[[Sequence[Samples], int], object]
"""Writes windows, so many at a time."""


def measured(name: str, device: torch.device, asked: argparse.Namespace) -> dict[str, Any]:
    """All figures of one model."""
    _tell(f"{name}: memory")
    memory = [peak_case(name, device, asked.cap_gb, asked.tokens)]
    memory.append(out_of_memory_case(name, device, asked.cap_gb, asked.tokens))
    _tell(f"{name}: rates")
    rates = gpu_floor.rates(name, device)
    whisper = made(name, device)
    network = network_of(whisper, device)
    contestants: dict[str, Contestant] = {
        OURS: Writer(network, asked.tokens).write_somehow,
        f"{OURS} without graphs": Writer(network, asked.tokens, call).write_somehow,
        "transformers generate": Generate(whisper, device, asked.tokens).write,
        PEER: Pipeline(whisper, device, asked.tokens).write,
    }
    sounds = windows(asked.windows)
    batches = [_raced(batch, contestants, sounds, device, asked.rounds) for batch in asked.batches]
    for found in batches:
        batch = found["batch"]
        sizes = [len(sounds[i : i + batch]) for i in range(0, len(sounds), batch)]
        floor_s = gpu_floor.floor_s(name, device, rates, sizes, asked.tokens)
        found["floor_s"] = floor_s
        found["attention_bytes_per_s"] = gpu_floor.attention_rates(name, device, batch)
        found |= _compared(found["median_s"], floor_s)
    return {"model": name, "rates": asdict(rates), "batches": batches, "memory": memory}


def _raced(
    batch: int,
    contestants: dict[str, Contestant],
    sounds: Sequence[Samples],
    device: torch.device,
    rounds: int,
) -> dict[str, Any]:
    """All in turn, round by round; a first round warms up and does not count."""
    seconds: dict[str, list[float]] = {key: [] for key in contestants}
    unmeasured: dict[str, str] = {}
    for number in range(rounds + 1):
        for key, write in contestants.items():
            if key in unmeasured:
                continue
            heard = sounds[:batch] if number == 0 else sounds
            _tell(f"batch {batch}, round {number} of {rounds}: {key}")
            try:
                took = wall_s(device, lambda write=write, heard=heard: write(heard, batch))  # type: ignore[misc]
            except Exception as error:
                if not out_of_memory(error):
                    raise
                unmeasured[key] = f"out of memory at batch {batch}"
                continue
            if number:
                seconds[key].append(took)
    medians = {key: statistics.median(all_s) for key, all_s in seconds.items() if all_s}
    speed = {key: len(sounds) * WINDOW_S / wall for key, wall in medians.items()}
    return {
        "batch": batch,
        "seconds": seconds,
        "median_s": medians,
        "times_real_time": speed,
        "unmeasured": unmeasured,
    }


def _compared(median_s: dict[str, float], floor_s: float) -> dict[str, Any]:
    ours = median_s.get(OURS)
    if ours is None:
        return {}
    faster = {f"{OURS} against {key}": wall / ours for key, wall in median_s.items()}
    return {"times_as_fast": faster, "times_the_floor": ours / floor_s}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write down."""
    asked = _parser().parse_args(arguments)
    if asked.device == "cuda" and not torch.cuda.is_available():
        print(
            "There is no CUDA device here, so nothing was measured. `--device cpu --tiny` tries "
            "the program itself.",
            file=sys.stderr,
        )
        return 2
    if asked.device == "cpu" and not asked.tiny:
        print("The real sizes are for a CUDA device: add --tiny.", file=sys.stderr)
        return 2
    device = torch.device(asked.device)
    tune(torch)
    hold_below(device, asked.cap_gb)
    models = ["tiny"] if asked.tiny else asked.models
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "device": _name(device),
        "versions": {
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "python": platform.python_version(),
            "cuda": torch.version.cuda,
        },
        "windows": asked.windows,
        "window_s": WINDOW_S,
        "tokens": asked.tokens,
        "rounds": asked.rounds,
        "cap_gb": asked.cap_gb if asked.device == "cuda" else None,
        "models": [measured(name, device, asked) for name in models],
    }
    text = json.dumps(result, indent=1) + "\n"
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"processor ({platform.machine()}): no figure of a GPU"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=["large-v3", "turbo"], metavar="MODEL")
    parser.add_argument("--batches", nargs="+", type=int, default=[16, 24], metavar="WINDOWS")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--windows", type=int, default=48, help="of 30 s, for each contestant")
    parser.add_argument("--tokens", type=int, default=110, help="of every window")
    parser.add_argument("--cap-gb", type=float, default=24.0, help="of the card's memory")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a network of no use, for a trial")
    parser.add_argument("--out", type=Path, help="the result as JSON")
    parser.set_defaults(models=["large-v3", "turbo"])
    return parser


if __name__ == "__main__":
    sys.exit(main())
