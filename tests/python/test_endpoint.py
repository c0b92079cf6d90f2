# SPDX-License-Identifier: Apache-2.0
"""Endpoints of the Python module: what goes in comes out, and no packet is
looked at that is the library's again."""

import errno
import os
import selectors
import socket
import threading

import pytest

import fdlink
from conftest import (BROADCAST, SOURCE, checksum, frame, ip, pair, receive,
                      udp)


def test_frames_come_as_they_went(ends):
    a, b = ends
    # More than one call takes.
    frames = [frame(i, 64 + i % 1400) for i in range(150)]
    assert a.send(frames) == len(frames)
    assert receive(b, len(frames)) == frames


def test_write_takes_any_bytes(ends):
    a, b = ends
    for kind in bytes, bytearray, memoryview:
        a.write(kind(frame(1)))
    assert receive(b, 3) == [frame(1)] * 3


def test_a_view_of_words_is_sent_whole(ends):
    a, b = ends
    whole = frame(1, 80)
    words = memoryview(whole).cast('H')
    a.write(words)
    assert a.send([words, whole]) == 2
    assert a.write_many([words, whole]) == 2
    assert receive(b, 5) == [whole] * 5


@pytest.mark.parametrize('flags', [0, fdlink.COALESCE])
@pytest.mark.parametrize('make', [frame, udp])
def test_many_frames_come_as_they_were_written(veth, flags, make):
    frames = [make(i) for i in range(150)]
    with fdlink.open('packet:fdl-a', flags=flags) as a, \
            fdlink.open('packet:fdl-b') as b:
        assert a.write_many(frames) == len(frames)
        assert receive(b, len(frames)) == frames
        stats = a.stats()
        assert stats['tx_packets'] == len(frames)
        assert (make is udp and flags != 0) or not stats['tx_coalesced']


def test_of_many_frames_the_refused_are_counted(ends):
    a, b = ends
    assert a.write_many([frame(1), b'', frame(2)]) == 2
    assert receive(b, 2) == [frame(1), frame(2)]
    assert a.stats()['tx_drop_empty'] == 1


def test_view_is_no_copy(ends):
    a, b = ends
    a.send([frame()])
    with b.recv(timeout=60) as batch:
        batch[0][17] = 9
        assert batch.tobytes()[0] == frame(9)


def test_view_ends_with_the_batch(ends):
    a, b = ends
    a.send([frame()])
    with b.recv(timeout=60) as batch:
        view = batch[0]
        assert view == frame()
    with pytest.raises(ValueError):
        view[0]
    with pytest.raises(ValueError):
        bytes(view)
    with pytest.raises(ValueError):
        batch[0]
    with pytest.raises(ValueError):
        batch.tobytes()
    batch.release()


def test_released_packets_are_received_into_again():
    a, b = pair(pool=8)
    with a, b:
        for i in range(100):
            a.send([frame(i)])
            with b.recv(timeout=60) as batch:
                assert batch[0] == frame(i)


def test_a_batch_that_is_forgotten_is_released():
    a, b = pair(pool=8)
    with a, b:
        for i in range(100):
            a.send([frame(i)])
            view = b.recv(timeout=60)[0]
            assert view == frame(i)


def test_a_slice_keeps_its_packet_and_no_other():
    a, b = pair(pool=8)
    with a, b:
        a.send([frame(7), frame(8)])
        kept = []
        while not kept:
            with b.recv(timeout=60) as batch:
                kept = [view[14:18] for view in batch if view[17] == 7]
        for i in range(100):
            a.send([frame(i)])
            receive(b, 1)
        assert kept[0].hex() == '00000007'
    # Its memory outlives the endpoint.
    assert kept[0].hex() == '00000007'


def test_slices_that_end_give_packets_back():
    a, b = pair(pool=8)
    with a, b:
        for i in range(100):
            a.send([frame(i)])
            with b.recv(timeout=60) as batch:
                kept = batch[0][14:18]
            assert kept == i.to_bytes(4, 'big')


def test_whoever_holds_the_pool_is_told():
    a, b = pair(pool=8)
    with a, b:
        batches = []
        with pytest.raises(OSError) as err:
            for i in range(100):
                a.send([frame(i)])
                batches.append(b.recv(timeout=60))
        assert err.value.errno == errno.ENOBUFS
        batches[0].release()
        receive(b, 1)


def test_a_batch_is_sent_on(ends):
    a, b = ends
    a.send([frame(1), frame(2)])
    left = 2
    while left:
        batch = b.recv(timeout=60)
        view = batch[0]
        left -= len(batch)
        n = len(batch)
        assert b.send(batch) == n
        assert not batch
        with pytest.raises(ValueError):
            view[0]
    assert receive(a, 2) == [frame(1), frame(2)]


def test_a_packet_that_is_looked_at_is_not_sent(ends):
    a, b = ends
    a.send([frame()])
    batch = b.recv(timeout=60)
    part = batch[0][6:12]
    with pytest.raises(BufferError):
        b.send(batch)
    del part
    assert b.send(batch) == 1


def test_what_has_no_room_stays():
    a, b = pair()
    with a, b:
        n = 0
        while a.send([frame(n)]):
            n += 1
        c, d = pair()
        with c, d:
            d.send([frame(n)])
            batch = c.recv(timeout=60)
            assert a.send(batch) == 0
            assert batch[0] == frame(n)
            assert receive(b, n) == [frame(i) for i in range(n)]
            assert a.send(batch) == 1
            assert receive(b, 1) == [frame(n)]


def test_tags_stay(ends):
    a, b = ends
    tagged = (BROADCAST + SOURCE + bytes.fromhex('81002064' '88b5') +
              bytes(60))
    a.send([tagged])
    with b.recv(timeout=60) as batch:
        assert batch[0] == tagged
        info = batch.info(0)
    assert info.link_len == 18
    assert info.protocol == 0x88b5
    assert info.type == fdlink.BROADCAST
    assert info.tstamp_ns > 0


def test_offload_is_done(ends):
    a, b = ends
    # UDP over IPv4, whose checksum is left to others: of the pseudo-header.
    head = BROADCAST + SOURCE + b'\x08\x00'
    net = bytes.fromhex('4500002000000000' '4011f6c9' 'c0000201' 'c0000202')
    udp = bytes.fromhex('04000400' '000c' '8421') + b'abcd'
    off = fdlink.Offload(csum=fdlink.CSUM_PARTIAL, csum_start=34, csum_offset=6)
    a.write(head + net + udp, off)
    data = receive(b, 1)[0]
    assert checksum(data[26:34] + b'\0\x11' + data[38:40] +
                    data[34:46]) == 0xffff


def test_sockets_share_the_packets(veth):
    frames = [frame(i) for i in range(100)]
    kind = socket.AF_PACKET, socket.SOCK_RAW, 0
    with socket.socket(*kind) as one, socket.socket(*kind) as other:
        for s in one, other:
            s.bind(('fdl-b', 3))
        b = fdlink.from_fds([one.fileno(), other.fileno()],
                            fanout=fdlink.FANOUT_LB)
    with b, fdlink.open('packet:fdl-a') as a:
        a.send(frames)
        assert sorted(receive(b, 100)) == frames
        assert not b.recv()


def test_stats(ends):
    a, b = ends
    a.send([frame(), frame()])
    receive(b, 2)
    assert a.stats()['tx_packets'] == 2
    assert a.stats()['tx_bytes'] == 128
    assert b.stats()['rx_packets'] == 2
    with pytest.raises(OSError) as err:
        a.write(b'')
    assert err.value.errno == errno.EINVAL
    assert 'empty' in err.value.strerror
    assert a.stats()['tx_drop_empty'] == 1


def test_link_state(veth):
    with fdlink.open('packet:fdl-a') as ep:
        link = ep.link()
        assert link.up and link.carrier
        assert link.name == 'fdl-a'
        assert link.mtu == ep.mtu == 1500
        assert len(link.address) == 6 and any(link.address)
        ip('link', 'set', 'fdl-b', 'down')
        while ep.link().changes == link.changes:
            assert ep.wait(60)
            ep.recv()
        assert not ep.link().carrier


def test_selectors(ends):
    a, b = ends
    with selectors.DefaultSelector() as sel:
        sel.register(b, selectors.EVENT_READ, 'b')
        assert not sel.select(0)
        a.send([frame(3)])
        assert [key.data for key, _ in sel.select(60)] == ['b']
        assert receive(b, 1) == [frame(3)]
        b.recv()
        assert not sel.select(0)


def test_no_packets_are_not_waited_for(ends):
    a, b = ends
    a.send([frame(1)])
    assert len(b.recv(0, timeout=None)) == 0
    assert receive(b, 1) == [frame(1)]


def test_recv_waits_for_its_time(ends):
    _, b = ends
    assert not b.recv()
    assert not b.recv(timeout=.01)
    assert not b.wait(0)


def test_tap():
    with fdlink.open('tap:fdl-t') as ep:
        assert ep.ethernet
        ip('link', 'set', 'fdl-t', 'up')
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
            s.bind(('fdl-t', 0x88b5))
            s.settimeout(60)
            s.send(frame(5))
            while frame(5) not in receive(ep, 1):
                pass
            ep.write(frame(6))
            assert s.recv(2048) == frame(6)


def test_a_locator_has_no_nul():
    with pytest.raises(ValueError, match='NUL'):
        fdlink.open('null:\0rest')


def test_an_option_that_is_none_is_named():
    with pytest.raises(TypeError, match='nonsense is no option'):
        fdlink.open('null:', nonsense=1)
    with pytest.raises(TypeError, match="flags='x'"):
        fdlink.open('null:', flags='x')
    with pytest.raises(OverflowError, match='mtu=-1'):
        fdlink.open('null:', mtu=-1)
    with fdlink.open('null:', mtu=1400) as ep:
        assert ep.mtu == 1400


def test_a_malformed_locator_is_told_first():
    with pytest.raises(OSError) as err:
        fdlink.open('bogus:x')
    assert err.value.errno == errno.EINVAL
    assert err.value.strerror.startswith('unknown kind "bogus"\n')
    assert 'tap:NAME' in err.value.strerror


def test_errors_have_the_sentence():
    with pytest.raises(OSError) as err:
        fdlink.open('packet:fdl-none')
    assert err.value.errno == errno.ENODEV
    assert 'fdl-none' in err.value.strerror
    with pytest.raises(OSError) as err:
        fdlink.open('nonsense')
    assert err.value.errno == errno.EINVAL
    with pytest.raises(OSError) as err:
        fdlink.open('null:', mtu=3)
    assert '3' in err.value.strerror


def test_the_end_of_the_peer():
    a, b = pair()
    with b:
        a.send([frame(1)])
        a.close()
        assert receive(b, 1) == [frame(1)]
        with pytest.raises(OSError) as err:
            b.recv(timeout=60)
        assert err.value.errno == errno.ESHUTDOWN


def test_a_frame_of_any_length_is_refused_with_errno(ends):
    a, _ = ends
    with pytest.raises(OSError) as err:
        a.send([bytes(100000)])
    assert err.value.errno == errno.EMSGSIZE
    with pytest.raises(OSError) as err:
        a.write(frame(0, 60000))
    assert err.value.errno == errno.EMSGSIZE


def test_one_thread_sends_and_another_receives(ends):
    a, b = ends
    frames = [frame(i) for i in range(500)]
    found = []
    # What b's buffer holds, however late its thread is.
    thread = threading.Thread(target=lambda: found.extend(receive(b, 500)))
    thread.start()
    for i in range(0, 500, 5):
        a.send(frames[i:i + 5])
        assert a.stats()['tx_packets'] == i + 5
        assert not a.recv()
    thread.join(120)
    assert found == frames


def test_a_batch_in_a_for_loop_lives_as_long(ends):
    a, b = ends
    a.send([frame(1)])
    b.wait(60)
    found = [bytes(view) for view in b.recv(timeout=60)]
    assert found == [frame(1)]


def test_closed():
    fds = len(os.listdir('/proc/self/fd'))
    a, b = pair()
    a.close()
    a.close()
    assert a.fileno() == -1
    for call in a.recv, a.stats, a.link, a.wait, a.flush:
        with pytest.raises(ValueError):
            call()
    with pytest.raises(ValueError):
        a.send([frame()])
    b.close()
    assert len(os.listdir('/proc/self/fd')) == fds
