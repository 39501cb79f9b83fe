"""A batch on CUDA: rows in tensors that stay where they are, so that a step can be recorded.

A step works on the first slots of the tensors, on as many and as far as a bucket says: rows that
come, go and grow choose another bucket, and only what outgrows the tensors moves them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from torch import Tensor

from engine.whisper.caches import Cache
from engine.whisper.decoder import Decoder
from engine.whisper.encoder import Memory
from engine.whisper.graphs import Bucket, Graphs

ROWS = (1, 2, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48)
"""Rows of a bucket; above the last in steps of 16. Few rows more cost little, a graph memory."""
ROOMS = (64, 128, 256)
"""Tokens that a bucket's rows may have written; then all that the decoder allows. Most windows
need under 256, which the tensors have room for at once."""
_POSITIONS = 128
"""Steps of what was heard. All lengths are multiples of 8: fused attention needs that of a mask."""
_FEW = 8
"""Rows up to which the tensors are no larger than their bucket; with more, a batch gets full."""


@dataclass
class _Seat:
    """Where a row is, and how far; `window` numbers what was heard, which beams share."""

    slot: int
    window: int
    positions: int
    length: int = 0


class StaticBatch:
    """Rows at work, each at its own position; the same interface as `RaggedBatch`."""

    def __init__(self, decoder: Decoder, most: int, graphs: Graphs) -> None:
        """`most` rows are expected; there may be more."""
        self._decoder = decoder
        self._most = most
        self._graphs = graphs
        self._heard = Cache(decoder.like, decoder.layers, decoder.heads)
        self._written = Cache(decoder.like, decoder.layers, decoder.heads)
        self._inputs = _Inputs(0, decoder.like.device)
        self._seats: list[_Seat] = []
        self._windows = count()
        self._last_heard: dict[int, int] = {}
        """The window that each slot holds, also of rows that are gone."""

    def add(self, memories: Sequence[Memory]) -> None:
        """New rows behind those that are there, nothing written yet."""
        self._make_room(
            len(self._seats) + len(memories), max(memory.positions for memory in memories)
        )
        free = self._free()
        for memory in memories:
            seat = _Seat(free.pop(0), next(self._windows), memory.positions)
            self._heard.put(seat.slot, memory)
            self._last_heard[seat.slot] = seat.window
            self._seats.append(seat)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone, in this order; a row may be named more than once."""
        if len(rows) > self._heard.slots:
            self._make_room(len(rows), 0)
        old, self._seats = self._seats, []
        twins: list[_Seat] = []
        sat: set[int] = set()
        for row in rows:
            seat = old[row]
            if row in sat:
                seat = replace(seat)
                twins.append(seat)
            sat.add(row)
            self._seats.append(seat)
        # A slot that holds the same window needs no copy of what was heard, the larger part.
        free = self._free()
        moves: list[tuple[_Seat, int]] = []
        for twin in twins:
            same = (slot for slot in free if self._last_heard.get(slot) == twin.window)
            target = next(same, free[0])
            free.remove(target)
            moves.append((twin, target))
        self._move(moves)

    def memory(self, row: int) -> Memory:
        """What a row has heard; it holds until the next call."""
        seat = self._seats[row]
        return self._heard.memory(seat.slot, seat.positions)

    def write(self, tokens: Sequence[int]) -> Tensor:
        """Logits (rows, vocabulary) behind the next token of each row; hold until the next call."""
        self._close_up()
        bucket = Bucket(
            rows=self._rows(max(seat.slot for seat in self._seats) + 1),
            room=self._room(max(seat.length for seat in self._seats) + 1),
            positions=_positions(max(seat.positions for seat in self._seats)),
        )
        if bucket.room > self._written.length:
            self._graphs.drop()
            self._written.grow(self._written.slots, bucket.room)
        self._inputs.fill(tokens, self._seats)
        logits = self._graphs.run(bucket, partial(self._step, bucket))
        for seat in self._seats:
            seat.length += 1
        return logits[: len(self._seats)]

    def _step(self, bucket: Bucket) -> Tensor:
        """What is recorded: it reads nothing of the host's that may change."""
        tokens, lengths, positions, order = self._inputs.on_device[:, : bucket.rows]
        rows = _Rows(self._heard, self._written, bucket, lengths, positions)
        return self._decoder(tokens, lengths, rows)[order]

    def _free(self) -> list[int]:
        taken = {seat.slot for seat in self._seats}
        return [slot for slot in range(self._heard.slots) if slot not in taken]

    def _rows(self, rows: int) -> int:
        """The bucket for so many, no larger than the tensors."""
        return min(_bucket(rows), self._heard.slots)

    def _room(self, tokens: int) -> int:
        return next((room for room in ROOMS if room >= tokens), self._decoder.capacity)

    def _make_room(self, rows: int, positions: int) -> None:
        """Enlarge the tensors where they are too small; nothing recorded is of use then."""
        slots, length = self._heard.slots, max(self._heard.length, _positions(positions))
        if rows > slots:
            slots = _bucket(rows)
            if rows <= self._most:
                slots = self._most if rows > _FEW else min(slots, self._most)
        if (slots, length) == (self._heard.slots, self._heard.length):
            return
        self._graphs.drop()
        self._heard.grow(slots, length)
        if slots > self._written.slots:
            room = max(self._written.length, min(ROOMS[-1], self._decoder.capacity))
            self._written.grow(slots, room)
            self._inputs = _Inputs(slots, self._decoder.like.device)
        if self._decoder.like.is_cuda:  # cuda only
            torch.cuda.empty_cache()  # the smaller tensors fit nobody else

    def _close_up(self) -> None:
        """Move the hindmost rows into holes, where a smaller bucket does then."""
        slots = self._rows(len(self._seats))
        hindmost = [seat for seat in self._seats if seat.slot >= slots]
        if hindmost:
            self._move(list(zip(hindmost, self._free(), strict=False)))

    def _move(self, moves: Sequence[tuple[_Seat, int]]) -> None:
        """Copy what rows heard and wrote to other slots, where they are from now on."""
        if not moves:
            return
        self._written.copy(
            [seat.slot for seat, _ in moves],
            [slot for _, slot in moves],
            max(seat.length for seat, _ in moves),
        )
        new = [(s, slot) for s, slot in moves if self._last_heard.get(slot) != s.window]
        if new:
            longest = max(seat.positions for seat, _ in new)
            self._heard.copy([seat.slot for seat, _ in new], [slot for _, slot in new], longest)
        for seat, slot in moves:
            seat.slot = slot
            self._last_heard[slot] = seat.window


class _Inputs:
    """What a step is told of each slot, on the host and on the device.

    Of each slot: the token, how much was written before it, positions heard; and in which order
    the rows are. Slots without a row see one position of whatever is there.
    """

    def __init__(self, slots: int, device: torch.device) -> None:
        on_cuda = device.type == "cuda"
        self._host = torch.zeros(4, slots, dtype=torch.long, pin_memory=on_cuda)
        self.on_device = torch.zeros(4, slots, dtype=torch.long, device=device)
        self._copied: torch.cuda.Event | None = None
        if on_cuda:  # cuda only
            self._copied = torch.cuda.Event()  # type: ignore[no-untyped-call]

    def fill(self, tokens: Sequence[int], seats: Sequence[_Seat]) -> None:
        """Send it off; the device works on meanwhile."""
        if self._copied is not None:  # cuda only
            self._copied.synchronize()  # the last ones have been read
        told = [[0] * self._host.shape[1] for _ in range(4)]
        told[2] = [1] * self._host.shape[1]
        for row, (token, seat) in enumerate(zip(tokens, seats, strict=True)):
            told[0][seat.slot], told[1][seat.slot] = token, seat.length
            told[2][seat.slot], told[3][row] = seat.positions, seat.slot
        self._host.copy_(torch.tensor(told))
        self.on_device.copy_(self._host, non_blocking=True)
        if self._copied is not None:  # cuda only
            self._copied.record()


class _Rows:
    """The attention of one step, see `Rows`."""

    def __init__(
        self, heard: Cache, written: Cache, bucket: Bucket, lengths: Tensor, positions: Tensor
    ) -> None:
        self._heard, self._written, self._bucket = heard, written, bucket
        self._places = lengths[:, None, None, None]
        like = heard.keys_values(0, 1, 1)[0]
        self._unwritten = _beyond(lengths, bucket.room, like)
        self._deaf = _beyond(positions - 1, bucket.positions, like)

    def to_written(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        all_keys, all_values = self._written.keys_values(
            layer, self._bucket.rows, self._bucket.room
        )
        place = self._places.expand_as(keys)
        all_keys.scatter_(2, place, keys)
        all_values.scatter_(2, place, values)
        return _attention(queries, all_keys, all_values, self._unwritten)

    def to_heard(self, layer: int, queries: Tensor) -> Tensor:
        keys, values = self._heard.keys_values(layer, self._bucket.rows, self._bucket.positions)
        return _attention(queries, keys, values, self._deaf)


def _attention(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    # Fused: one kernel in place of four, and the scores never go through memory.
    mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=1.0)
    return mixed.transpose(1, 2).flatten(2)


def _beyond(last: Tensor, length: int, like: Tensor) -> Tensor:
    """A mask (rows, 1, 1, length) that hides what lies behind each row's last place."""
    hidden = torch.arange(length, device=like.device) > last[:, None, None, None]
    return like.new_zeros(hidden.shape).masked_fill_(hidden, -torch.inf)


def _bucket(rows: int) -> int:
    return next((size for size in ROWS if size >= rows), -(-rows // 16) * 16)


def _positions(heard: int) -> int:
    return min(-(-heard // _POSITIONS) * _POSITIONS, 1504)
