# SPDX-License-Identifier: Apache-2.0
"""Packets that were received, where the library has them."""

import weakref
from typing import Iterator, List, NamedTuple, Optional, Tuple

from ._lib import CData, ffi, lib


class Offload(NamedTuple):
    """What one side has left to the other to do on a packet: struct
    fdl_offload of packet.h. All zero: nothing."""
    csum: int = 0
    gso: int = 0
    ecn: int = 0
    gso_size: int = 0
    hdr_len: int = 0
    csum_start: int = 0
    csum_offset: int = 0


class Info(NamedTuple):
    """What is known about a packet beside its bytes: struct fdl_packet of
    packet.h."""
    protocol: int
    link_len: int
    type: int
    hash: int
    tstamp_ns: int
    offload: Offload


def _release(pkt: CData) -> None:
    lib.fdl_release(ffi.new('struct fdl_packet *[]', [pkt]), 1)


def _revoke(views: List[memoryview]) -> None:
    for view in views:
        try:
            view.release()
        except BufferError:
            pass            # an array over it has it


class Batch:
    """Packets as they were received, each a memoryview of the library's own
    memory: nothing is copied, and they may be written to.

    They are valid until release(), which the end of a with statement calls::

        with ep.recv() as batch:
            for view in batch:
                ...

    A view that is used after that raises ValueError. A slice of a view, or an
    array over it, stays what it is: the memory of that one packet is given back
    when the last of them is gone. Until then it is one slot less of the pool. A
    batch that is forgotten treats its views so, too.
    """

    __slots__ = '_v', '_n', '_buffers', '_views', '__weakref__'

    def __init__(self, v: CData, n: int) -> None:
        self._v, self._n = v, n
        # A view knows its buffer for as long as there is one of its slices.
        self._buffers: Optional[List[CData]] = None
        self._views: Optional[List[memoryview]] = None

    def _open(self) -> List[memoryview]:
        if self._views is None:
            self._check()
            v = self._v
            self._buffers = [ffi.buffer(v[i].data, v[i].len)
                             for i in range(self._n)]
            self._views = [memoryview(b) for b in self._buffers]
        return self._views

    def _check(self) -> None:
        if self._v is None:
            raise ValueError('the batch has been released')

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, i: int) -> memoryview:
        return self._open()[i]

    def __iter__(self) -> Iterator[memoryview]:
        return iter(self._open())

    def info(self, i: int) -> Info:
        """What is known about packet i."""
        self._check()
        pkt = self._v[range(self._n)[i]]
        off = pkt.off
        return Info(pkt.protocol, pkt.link_len, pkt.type, pkt.hash,
                    pkt.tstamp_ns,
                    Offload(off.csum, off.gso, off.ecn, off.gso_size,
                            off.hdr_len, off.csum_start, off.csum_offset))

    def tobytes(self) -> List[bytes]:
        """Copies of the packets, which stay."""
        self._check()
        buffer = ffi.buffer
        return [buffer(pkt.data, pkt.len)[:]
                for pkt in ffi.unpack(self._v, self._n)]

    def _close_views(self, revoke: bool = True
                     ) -> List[Tuple[int, CData]]:
        """Let go of the views, and revoke them. Returns the numbers and buffers
        of the packets that somebody else still looks at."""
        if self._views is None or self._buffers is None:
            return []
        if revoke:
            _revoke(self._views)
        refs = [weakref.ref(buffer) for buffer in self._buffers]
        self._buffers = self._views = None
        return [(i, ref()) for i, ref in enumerate(refs) if ref() is not None]

    def _take(self) -> Tuple[CData, int]:
        """The packets, for a send. The batch has none of them from now on."""
        self._check()
        if self._close_views():
            raise BufferError('a slice of a packet that is to be sent is still '
                              'in use: delete it first')
        v, self._v = self._v, None
        n, self._n = self._n, 0
        return v, n

    def _put_back(self, v: CData, n: int) -> None:
        self._v, self._n = v, n

    def release(self) -> None:
        """Give the packets back. A second time, nothing happens."""
        self._give_back(True)

    def _give_back(self, revoke: bool) -> None:
        if self._v is None:
            return
        for i, buffer in self._close_views(revoke):
            weakref.finalize(buffer, _release, self._v[i]).atexit = False
            self._v[i] = ffi.NULL
        v, self._v = self._v, None
        n, self._n = self._n, 0
        lib.fdl_release(v, n)

    def __enter__(self) -> 'Batch':
        return self

    def __exit__(self, *_exc: object) -> None:
        self.release()

    def __del__(self) -> None:
        self._give_back(False)
