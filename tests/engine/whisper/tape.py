"""A capture for tests that is as strict as CUDA's: operations and tensors are recorded, not Python.

A replay does the recorded operations again, on the very tensors that were there at the capture. A
step that asks the host for something, or whose tensors were given up since, is found out.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from engine.whisper.graphs import Step

_READS = {"_local_scalar_dense", "nonzero", "is_nonzero", "equal"}
"""Operations whose result the host waits for."""


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Any, tuple[Any, ...], dict[str, Any], list[Tensor]]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = func.overloadpacket.__name__
        assert name not in _READS, f"{name} makes the host wait"
        result = func(*args, **(kwargs or {}))
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        self.operations.append((func, args, kwargs or {}, made))
        return result

    def replay(self) -> None:
        for func, args, kwargs, made in self.operations:
            again = [x for x in tree_leaves(func(*args, **kwargs)) if isinstance(x, Tensor)]
            for old, new in zip(made, again, strict=True):
                if old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class Tape:
    """Counts what was captured and replayed."""

    def __init__(self) -> None:
        self.captures = 0
        self.replays = 0

    def __call__(self, step: Step) -> Callable[[], Tensor]:
        self.captures += 1
        recorder = _Recorder()
        with recorder:
            result = step()

        def replay() -> Tensor:
            self.replays += 1
            recorder.replay()
            return result

        return replay
