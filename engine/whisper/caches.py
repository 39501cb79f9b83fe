"""Keys and values of rows, one tensor per layer, in which every row has its slot."""

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.whisper.encoder import Memory


class Cache:
    """Of each layer (2, slots, heads, length, 64): keys, then values.

    Slots hold finite numbers everywhere: what is masked still takes part in products.
    """

    def __init__(self, like: Tensor, layers: int, heads: int) -> None:
        """`like` has (…, heads x 64) numbers of the kind that is computed with."""
        empty = like.new_zeros(2, 0, heads, 0, like.shape[-1] // heads)
        self._layers = [empty] * layers

    @property
    def slots(self) -> int:
        """How many rows there is room for."""
        return int(self._layers[0].shape[1])

    @property
    def length(self) -> int:
        """How long each may be."""
        return int(self._layers[0].shape[3])

    def grow(self, slots: int, length: int) -> None:
        """Make room, and keep what is there; tensors that were seen before are no longer used.

        Raises:
            torch.OutOfMemoryError: there is none; every slot is as it was, not every one as large.
        """
        for number, old in enumerate(self._layers):  # never two copies of all
            new = old.new_zeros(2, slots, old.shape[2], length, old.shape[4])
            new[:, : old.shape[1], :, : old.shape[3]] = old
            self._layers[number] = new

    def put(self, slot: int, memory: Memory) -> None:
        """Let a slot begin with these keys and values."""
        for layer, keys, values in zip(self._layers, memory.keys, memory.values, strict=True):
            layer[0, slot, :, : memory.positions] = keys
            layer[1, slot, :, : memory.positions] = values

    def copy(self, sources: Sequence[int], targets: Sequence[int], length: int) -> None:
        """Slots into other slots, which are none of the sources, as far as `length`."""
        device = self._layers[0].device
        from_, to = torch.tensor([sources, targets], device=device).unbind()
        for layer in self._layers:
            part = layer[:, :, :, :length]
            part.index_copy_(1, to, part.index_select(1, from_))

    def memory(self, slot: int, length: int) -> Memory:
        """What lies in a slot; it is gone when the slot is used again."""
        parts = [layer[:, slot, :, :length] for layer in self._layers]
        return Memory(tuple(part[0] for part in parts), tuple(part[1] for part in parts))

    def keys_values(self, layer: int, slots: int, length: int) -> tuple[Tensor, Tensor]:
        """The first slots of a layer as far as `length`: (slots, heads, length, 64) each."""
        part = self._layers[layer][:, :slots, :, :length]
        return part[0], part[1]
