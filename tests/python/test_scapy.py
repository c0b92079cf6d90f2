# SPDX-License-Identifier: Apache-2.0
"""scapy over fdlink. Its traffic is between two ends of a veth."""

import socket
import subprocess
import sys
import time

import pytest
from scapy.all import (ARP, IP, UDP, AsyncSniffer, Dot1Q, Ether, Raw, conf,
                       sniff, srp1)
from scapy.error import Scapy_Exception

import fdlink
import fdlink.scapy
from conftest import BROADCAST, SOURCE, frame, ip, pair, udp

conf.verb = 0


@pytest.fixture(autouse=True)
def used():
    before = conf.L2socket, conf.L2listen
    fdlink.scapy.use()
    yield
    conf.L2socket, conf.L2listen = before


@pytest.fixture
def faces(veth):
    conf.ifaces.reload()
    return veth


def packet(n, port=1000):
    return (Ether(dst=BROADCAST, src=SOURCE) / IP(src='192.0.2.1',
                                                  dst='192.0.2.2') /
            UDP(sport=n, dport=port) / Raw(b'x' * 30))


def test_packets_come_as_they_went(faces):
    a = conf.L2socket(iface=faces[0])
    b = conf.L2socket(iface=faces[1])
    before = time.time()
    for n in range(100):
        assert a.send(packet(n)) == len(packet(n))
    for n in range(100):
        got = b.recv()
        assert bytes(got) == bytes(packet(n))
        assert before - 1 < got.time < time.time() + 1
    assert b.stats()['rx_packets'] == 100
    a.close()
    b.close()
    assert a.fileno() == -1


def test_stamps_are_the_kernels(faces):
    a = conf.L2socket(iface=faces[0])
    b = conf.L2socket(iface=faces[1])
    # The kernel begins to stamp a moment after the machine's first socket has
    # asked for it. A packet before that has the time of its reading.
    end = time.monotonic() + 60
    age = 0
    while age < .1 and time.monotonic() < end:
        a.send(packet(1))
        time.sleep(.2)
        read = time.time()
        age = read - b.recv_raw()[2]
    assert age > .1
    a.close()
    b.close()


def test_tag_stays(faces):
    a = conf.L2socket(iface=faces[0])
    b = conf.L2socket(iface=faces[1])
    tagged = Ether(dst=BROADCAST, src=SOURCE) / Dot1Q(vlan=100, prio=3) / IP()
    a.send(tagged)
    got = b.recv()
    assert got[Dot1Q].vlan == 100 and got[Dot1Q].prio == 3
    assert bytes(got) == bytes(tagged)
    a.close()
    b.close()


@pytest.mark.parametrize('text,ports', [
    ('udp dst port 2000', [2000]),
    ('vlan 7', [3000]),
    ('udp or (vlan and udp)', [1000, 2000, 3000]),
])
def test_sniff_with_filter(faces, text, ports):
    a = conf.L2socket(iface=faces[0])
    tagged = packet(3, 3000)
    tagged = (Ether(dst=BROADCAST, src=SOURCE) / Dot1Q(vlan=7) /
              tagged[IP])

    def send():
        a.send(frame())
        a.send(packet(1, 1000))
        a.send(packet(2, 2000))
        a.send(tagged)

    got = sniff(iface=faces[1], filter=text, count=len(ports), timeout=60,
                started_callback=send)
    assert [p[UDP].dport for p in got] == ports
    a.close()


def test_a_bad_filter_is_an_error(faces):
    with pytest.raises(Scapy_Exception):
        conf.L2socket(iface=faces[0], filter='no such words')


def test_an_interface_that_is_missing_is_named():
    for kind in fdlink.scapy.L2Socket, fdlink.scapy.L2ListenSocket:
        with pytest.raises(OSError, match='nope0: no such interface'):
            kind(iface='nope0')


def test_cut(faces):
    a = conf.L2socket(iface=faces[0])
    b = conf.L2socket(iface=faces[1])
    a.send(packet(1))
    a.send(packet(1))
    got = b.recv(40)
    assert got.wirelen == len(packet(1))
    assert len(bytes(b.recv())) == len(packet(1))
    assert bytes(got) == bytes(packet(1))[:40]
    a.close()
    b.close()


def test_super_packets_are_cut(faces):
    frames = [udp(i) for i in range(50)]
    b = conf.L2socket(iface=faces[1])
    with fdlink.open('packet:' + faces[0], flags=fdlink.COALESCE) as a:
        assert a.write_many(frames) == 50
    assert [bytes(b.recv()) for _ in frames] == frames
    b.close()


def test_who_sees_what_goes_out(faces):
    a = conf.L2socket(iface=faces[0])
    same = conf.L2socket(iface=faces[0])
    listen = conf.L2listen(iface=faces[0])
    b = conf.L2socket(iface=faces[1])
    a.send(packet(1))
    assert bytes(listen.recv()) == bytes(packet(1))
    with pytest.raises(Scapy_Exception):
        listen.send(packet(1))
    # The next one that comes in is the first that an L2Socket sees.
    b.recv()
    b.send(packet(2))
    assert same.recv()[UDP].sport == 2
    for s in a, same, listen, b:
        s.close()


def test_srp1(faces):
    def answer(got):
        back = Ether(dst=got.src, src=SOURCE) / ARP(
            op='is-at', hwsrc=SOURCE, psrc='192.0.2.9', pdst=got[ARP].psrc)
        b.send(back)

    b = conf.L2socket(iface=faces[1])
    ready = []
    sniffer = AsyncSniffer(opened_socket=b, count=1, prn=answer,
                           lfilter=lambda p: ARP in p and p[ARP].op == 1,
                           started_callback=lambda: ready.append(1))
    sniffer.start()
    got = srp1(Ether(dst=BROADCAST) / ARP(pdst='192.0.2.9', psrc='192.0.2.1'),
               iface=faces[0], timeout=60)
    assert got is not None and got[ARP].psrc == '192.0.2.9'
    sniffer.join(60)
    assert ready
    b.close()


def test_drops_are_counted(faces):
    b = conf.L2socket(iface=faces[1], promisc=False)
    with fdlink.open('packet:' + faces[0]) as a:
        sent = 0
        # More than the receive buffer holds.
        for _ in range(300):
            sent += a.send([frame(0, 1500)] * 64)
    seen = 0
    stats = b.stats()
    while stats['rx_packets'] + stats['rx_drop_kernel'] < sent:
        assert b.ins.wait(60)
        seen += b.recv() is not None
        stats = b.stats()
    assert stats['rx_drop_kernel'] > 0
    assert stats['rx_packets'] == seen
    assert stats['rx_packets'] + stats['rx_drop_kernel'] == sent
    b.close()


def test_promiscuous(faces):
    def shown():
        return subprocess.run(['ip', '-d', 'link', 'show', faces[1]],
                              check=True, capture_output=True).stdout

    s = conf.L2socket(iface=faces[1], promisc=True)
    assert b'promiscuity 1' in shown()
    s.close()
    assert b'promiscuity 0' in shown()


def test_a_change_of_the_link_keeps_nobody_waiting(faces):
    s = conf.L2socket(iface=faces[1])
    changes = s.ins.link().changes
    ip('link', 'set', faces[0], 'down')
    while s.ins.link().changes == changes:
        assert s.select([s], 60)
        assert s.recv() is None
    s.close()


def test_nothing_else_of_scapy_has_to_be_imported(faces):
    code = '''
import fdlink.scapy
s = fdlink.scapy.L2Socket(iface=%r)
print('ready', flush=True)
print(type(s.recv()).__name__)
''' % faces[1]
    a = conf.L2socket(iface=faces[0])
    with subprocess.Popen([sys.executable, '-c', code],
                          stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == 'ready\n'
        a.send(packet(1))
        assert child.stdout.readline() == 'Ether\n'
    a.close()


def test_any_endpoint():
    one, other = pair()
    a = fdlink.scapy.L2Socket(endpoint=one)
    b = fdlink.scapy.L2Socket(endpoint=other)
    a.send(packet(4))
    assert b.recv()[UDP].sport == 4
    a.close()
    b.close()


def test_ip_without_a_link_header():
    with fdlink.open('tun:fdl-n'):
        ip('addr', 'add', '192.0.2.1/24', 'dev', 'fdl-n')
        ip('link', 'set', 'fdl-n', 'up')
        conf.ifaces.reload()
        s = conf.L2listen(iface='fdl-n')
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
            u.sendto(b'hello', ('192.0.2.7', 9))
        got = s.recv()
        assert isinstance(got, IP) and got.dst == '192.0.2.7'
        assert bytes(got[UDP].payload) == b'hello'
        s.close()
