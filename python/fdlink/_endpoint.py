# SPDX-License-Identifier: Apache-2.0
"""Endpoints: a link to receive from and to send on."""

import array
import asyncio
import errno
import itertools
import os
import select
import threading
import time
from typing import (AsyncIterator, Dict, FrozenSet, Iterable, List, NamedTuple,
                    Optional, Sequence, Tuple, Union)

from . import _lib
from ._aio import Readiness
from ._batch import Batch, Offload
from ._lib import CData, ffi, lib

BATCH = 64
WRITE_BATCH = 256
ARPHRD_ETHER = 1
# After these errors nothing can be sent any more.
LASTING = errno.ESHUTDOWN, errno.ENODEV

Bytes = Union[bytes, bytearray, memoryview]


class Link(NamedTuple):
    """A link as it is now: struct fdl_link of open.h."""
    up: bool
    carrier: bool
    address: bytes
    mtu: int
    name: str
    changes: int


def _counters() -> List[str]:
    names: List[str] = []
    while True:
        name = lib.fdl_stats_name(len(names))
        if name == ffi.NULL:
            return names
        names.append(ffi.string(name).decode())


_NAMES = _counters()
_PLAIN: FrozenSet[type] = frozenset((bytes, bytearray))


class Endpoint:
    """One link, made by fdlink.open() or fdlink.from_fds().

    Two threads may use it at the same time, one that receives and one that
    sends. close() waits for a call of another thread to end. A wait() of
    another thread is not ended by it.
    """

    def __init__(self, ep: CData) -> None:
        self._ep = ep
        self._rx, self._tx = threading.RLock(), threading.RLock()
        self._queues = [lib.fdl_get_queue(ep, i)
                        for i in range(lib.fdl_queues(ep))]
        self._next = 0
        # For the calls that move one packet: to make them anew costs as much as
        # the rest of such a call.
        self._one = ffi.new('struct fdl_packet *[1]')
        self._iov = ffi.new('struct iovec *')
        self._poll: Optional[select.poll] = None
        self._readiness = Readiness(self)
        #: bytes behind the link header
        self.mtu: int = lib.fdl_mtu(ep)
        #: do packets start with an Ethernet header?
        self.ethernet: bool = lib.fdl_arp_hardware(ep) == ARPHRD_ETHER
        #: how it receives: "readv", "recvmmsg", "packet_mmap", "adaptive"
        self.mode: str = ffi.string(
            lib.fdl_mode_name(lib.fdl_get_mode(ep))).decode()

    def _live(self) -> CData:
        if self._ep is None:
            raise ValueError('the endpoint is closed')
        return self._ep

    def fileno(self) -> int:
        """The fd for selectors: readable when recv() has something to give or
        to tell; -1 once closed. It is never to be read or closed."""
        if self._ep is None:
            return -1
        fd: int = lib.fdl_fd(self._ep)
        if fd < 0:
            raise _lib.error(self._ep, fd)
        return fd

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait up to timeout seconds (None: for ever) until there is something
        to receive. False: the time is up."""
        self._live()
        if self._poll is None:
            poll = select.poll()
            poll.register(self.fileno(), select.POLLIN)
            self._poll = poll
        return bool(self._poll.poll(
            None if timeout is None else timeout * 1000))

    def recv(self, n: int = BATCH, timeout: Optional[float] = 0) -> Batch:
        """Receive up to n packets. If there are none, wait for some for timeout
        seconds (None: for ever).

        Returns a batch, which is empty if none came. OSError with ESHUTDOWN:
        the peer closed; ENODEV: the device is gone; ENOBUFS: all packets of the
        pool are in batches that are not released.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            batch = self._recv_now(n)
            if batch or timeout == 0 or not n:
                return batch
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0 or not self.wait(left):
                return batch

    def _recv_now(self, n: int) -> Batch:
        v = ffi.new('struct fdl_packet *[]', n)
        with self._rx:
            return Batch(v, self._recv_into(v, n))

    def _recv_into(self, v: CData, n: int) -> int:
        ep = self._live()
        for _ in self._queues:
            got: int = lib.fdl_recv(self._queues[self._next], v, n)
            if got < 0:
                raise _lib.error(ep, got)
            if got:
                return got
            self._next = (self._next + 1) % len(self._queues)
        return 0

    def _recv_copy(self, most: int) -> Optional[Tuple[bytes, int, int, int]]:
        """Up to most bytes of one packet, its length, its protocol, and when it
        came, in nanoseconds (0: unknown). None: there is none."""
        v = self._one
        with self._rx:
            if not self._recv_into(v, 1):
                return None
            pkt = v[0]
            length: int = pkt.len
            got = (ffi.buffer(pkt.data, min(length, most))[:], length,
                   pkt.protocol, pkt.tstamp_ns)
            lib.fdl_release(v, 1)
            return got

    def send(self, packets: Union[Batch, Sequence[Bytes]],
             queue: int = 0) -> int:
        """Send packets, in order; never wait.

        A Batch, of this endpoint or another, is sent as it is, without a copy:
        what went has left the batch, and what did not is still in it. Anything
        else is a sequence of frames as bytes, which are copied.

        Returns how many are gone: sent, or refused for good and counted. Others
        can go later, as there was no room.
        """
        with self._tx:
            self._live()
            if isinstance(packets, Batch):
                return self._send_batch(self._queues[queue], packets)
            return self._send_frames(self._queues[queue], packets)

    def _send_batch(self, queue: CData, batch: Batch) -> int:
        v, n = batch._take()
        gone: int = lib.fdl_send(queue, v, n)
        kept = n - max(gone, 0)
        if kept:
            rest = ffi.new('struct fdl_packet *[]', ffi.unpack(v, n)[-kept:])
            batch._put_back(rest, kept)
        if gone < 0:
            raise _lib.error(self._ep, gone)
        return gone

    def _send_frames(self, queue: CData, frames: Sequence[Bytes]) -> int:
        sent = 0
        while sent < len(frames):
            part = frames[sent:sent + BATCH]
            v = ffi.new('struct fdl_packet *[]', len(part))
            got = lib.fdl_alloc(queue, v, len(part))
            if got == -errno.ENOBUFS:
                break
            if got < 0:
                raise _lib.error(self._ep, got)
            gone = self._fill_and_send(queue, v, got, part)
            sent += gone
            if gone < got:
                break
        return sent

    def _fill_and_send(self, queue: CData, v: CData, n: int,
                       frames: Sequence[Bytes]) -> int:
        gone = 0
        try:
            frames = frames[:n]
            sizes = _sizes(frames)
            if max(sizes) > v[0].tail:
                raise OSError(errno.EMSGSIZE, 'a frame has %d bytes, and '
                              'the most is %d' % (max(sizes), v[0].tail))
            for pkt, frame, size in zip(ffi.unpack(v, n), frames, sizes):
                ffi.memmove(pkt.data, frame, size)
                pkt.len = size
            gone = lib.fdl_send(queue, v, n)
            if gone < 0:
                raise _lib.error(self._ep, gone)
        finally:
            gone = max(gone, 0)
            lib.fdl_release(v + gone, n - gone)
        return gone

    async def arecv(self, n: int = BATCH) -> Batch:
        """recv() in asyncio: the next packets, at least one."""
        while True:
            batch = self._recv_now(n)
            if batch:
                return batch
            await self._readiness.wait()

    async def send_all(self, packets: Union[Batch, Sequence[Bytes]],
                    queue: int = 0) -> None:
        """send() in asyncio, until all are gone. One task at a time."""
        sent = self.send(packets, queue)
        if not _left(packets, sent):
            return
        self._want_write(queue, True)
        try:
            while _left(packets, sent):
                await self._readiness.wait()
                rest = packets
                if not isinstance(packets, Batch):
                    rest = packets[sent:]
                gone = self.send(rest, queue)
                sent += gone
                if not gone:
                    # Packets to receive woke us, and nobody takes them yet.
                    await asyncio.sleep(.001)
        finally:
            self._want_write(queue, False)

    def _want_write(self, queue: int, on: bool) -> None:
        with self._tx:
            if self._ep is not None:
                lib.fdl_want_write(self._queues[queue], on)

    async def __aiter__(self) -> AsyncIterator[Batch]:
        """The batches that come, each valid until the next, and released then.
        The end of the peer is the end."""
        while True:
            try:
                batch = await self.arecv()
            except OSError as err:
                if err.errno == errno.ESHUTDOWN:
                    return
                raise
            with batch:
                yield batch

    def write(self, frame: Bytes, offload: Optional[Offload] = None,
              queue: int = 0) -> None:
        """Send one frame, waiting for room up to the option tx_wait_ms. offload
        says what is left to do on it. OSError: it did not go, and is counted;
        its errno is that of fdl_write(3)."""
        data = ffi.from_buffer(frame)
        off = ffi.NULL
        if offload is not None:
            off = ffi.new('struct fdl_offload *', offload._asdict())
        iov = self._iov
        with self._tx:
            ep = self._live()
            iov.iov_base = data
            iov.iov_len = len(data)
            err = lib.fdl_write(self._queues[queue], iov, 1, off)
            if err < 0:
                raise _lib.error(ep, err)

    def write_many(self, frames: Iterable[Bytes], queue: int = 0) -> int:
        """Send frames as write() does, then flush(), in few calls. With the flag COALESCE,
        segments of one flow that follow each other go as one super-packet where
        the wire takes it, which costs a fraction.

        Returns how many were taken. The others are counted (stats()). OSError:
        the link has ended.
        """
        taken = 0
        frames = iter(frames)
        with self._tx:
            ep = self._live()
            while part := list(itertools.islice(frames, WRITE_BATCH)):
                data, iov = _gather(part)
                got = lib.fdl_write_frames(self._queues[queue], iov, len(part))
                if -got in LASTING:
                    raise _lib.error(ep, got)
                taken += max(got, 0)
        return taken

    def flush(self, queue: int = 0) -> None:
        """Send what the flag COALESCE deferred, and what a send left over."""
        with self._tx:
            ep = self._live()
            err = lib.fdl_flush(self._queues[queue])
            if err < 0:
                raise _lib.error(ep, err)

    def stats(self) -> Dict[str, int]:
        """The counters of stats.h by name, sums over all queues."""
        with self._rx, self._tx:
            raw = ffi.new('uint64_t[]', len(_NAMES))
            lib.fdl_get_stats(self._live(), raw, ffi.sizeof(raw))
            return {name: lib.fdl_stats_value(raw, i)
                    for i, name in enumerate(_NAMES)}

    def link(self) -> Link:
        """The state of the link now. A change makes fileno() readable, and
        after the next recv() Link.changes has grown."""
        with self._rx, self._tx:
            ep = self._live()
            link = ffi.new('struct fdl_link *')
            err = lib.fdl_link_state(ep, link, ffi.sizeof(link[0]))
            if err < 0:
                raise OSError(-err, os.strerror(-err))
            return Link(link.up, link.carrier, bytes(link.address), link.mtu,
                        ffi.string(link.name).decode(errors='replace'),
                        link.changes)

    def close(self) -> None:
        """End the link. Batches stay readable until they are released. Tasks
        that wait for the endpoint get ValueError: close it on their loop's
        thread."""
        with self._rx, self._tx:
            ep, self._ep = self._ep, None
            if ep is not None:
                self._readiness.close()
                lib.fdl_endpoint_free(ep)

    def __enter__(self) -> 'Endpoint':
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, '_ep', None) is not None:
            self.close()


def _sizes(frames: Sequence[Bytes]) -> List[int]:
    """The bytes of each. The length of a view of other things is not that."""
    if _PLAIN.issuperset(map(type, frames)):
        return [*map(len, frames)]
    return [memoryview(frame).nbytes for frame in frames]


def _gather(frames: List[Bytes]) -> Tuple[bytes, CData]:
    """One copy of all frames, and struct iovec[] over it, both made without a
    step of Python's for each frame. The first keeps the second valid."""
    data = b''.join(frames)
    sizes = [*map(len, frames)]
    if sum(sizes) != len(data):     # views of other things than bytes
        sizes = [memoryview(frame).nbytes for frame in frames]
    start = int(ffi.cast('uintptr_t', ffi.from_buffer(data)))
    # A long is as wide as a pointer and a size_t.
    words = array.array('L', bytes(ffi.sizeof('struct iovec') * len(frames)))
    words[1::2] = array.array('L', sizes)
    sizes.pop()
    words[0::2] = array.array('L', itertools.accumulate(sizes, initial=start))
    return data, ffi.from_buffer('struct iovec[]', words)


def _left(packets: Union[Batch, Sequence[Bytes]], sent: int) -> bool:
    # What went has left a batch.
    return len(packets) > (0 if isinstance(packets, Batch) else sent)


def open(locator: str, **options: int) -> Endpoint:
    """Open a link by its locator: "packet:eth0", "tap:tap0", "stream:/path"
    and so on, with options behind commas (fdl_open(3)).

    The keywords are the fields of struct fdl_options that are numbers: mtu,
    flags, mode, batch, pool, tx_wait_ms and so on. OSError has the library's
    sentence.
    """
    name = os.fsencode(locator)
    if b'\0' in name:
        raise ValueError('a locator has a NUL byte in it: %r' % locator)
    return Endpoint(_lib.make(lib.fdl_open, name,
                              _lib.options(**options)))


def from_fds(fds: Iterable[int], **options: int) -> Endpoint:
    """An endpoint over fds of one link, which stay the caller's
    (fdl_endpoint_new(3)). The keywords are those of open()."""
    v = ffi.new('int[]', list(fds))
    return Endpoint(_lib.make(lib.fdl_endpoint_new, v, len(v),
                              _lib.options(**options)))
