#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Frames with a tag that has a priority and no VLAN are untagged ones, and are
# answered so. Of a VLAN, they are none of ours.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

ask() {
	python3 - "$1" <<'END'
import socket, struct, sys

me = b'\2\0\0\0\0\1'
host = b'\2\0\0\0\0\2'
there = socket.inet_aton('192.0.2.2')
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 3))
s.settimeout(30)

def tags(*words):
    return b''.join(struct.pack('!HH', *w) for w in words)

PRIORITY = 5 << 13
cases = [
    ('none', b'', True),
    ('VLAN 0', tags((0x8100, PRIORITY)), True),
    ('VLAN 0 twice', tags((0x8100, PRIORITY), (0x8100, 0)), True),
    ('802.1ad, VLAN 0', tags((0x88a8, PRIORITY)), True),
    ('VLAN 7', tags((0x8100, PRIORITY | 7)), False),
    ('VLAN 7 in VLAN 0', tags((0x8100, 0), (0x8100, 7)), False),
    ('VLAN 0 in VLAN 7', tags((0x8100, 7), (0x8100, 0)), False),
    ('none, at the end', b'', True),
]

def arp(i, tag):
    body = bytes.fromhex('0001080006040001') + me
    body += bytes([192, 0, 2, 10 + i]) + bytes(6) + there
    return b'\xff' * 6 + me + tag + b'\x08\x06' + body

# An answer is for who asked. The last one asks until it has one, and nothing
# that was answered before it is still to come.
for i, (name, tag, _) in enumerate(cases):
    s.send(arp(i, tag))
got = set()
while len(cases) - 1 not in got:
    frame = s.recv(2000)
    if frame[6:12] != host or frame[20:22] != b'\0\2':
        continue
    assert frame[12:14] == b'\x08\x06', frame[:18].hex()
    got.add(frame[41] - 10)
for i, (name, _, answered) in enumerate(cases):
    assert (i in got) == answered, name

# IPv4, with a checksum that is to be verified behind a tag.
def total(data):
    n = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while n >> 16:
        n = (n >> 16) + (n & 0xffff)
    return ~n & 0xffff

def udp(tag, text):
    src = bytes([192, 0, 2, 10])
    data = struct.pack('!HHHH', 1000, 7, 8 + len(text), 0) + text
    check = total(src + there + struct.pack('!HH', 17, len(data)) + data)
    data = data[:6] + struct.pack('!H', check) + data[8:]
    ip = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(data), 1, 0, 64, 17, 0)
    ip += src + there
    ip = ip[:10] + struct.pack('!H', total(ip)) + ip[12:]
    return host + me + tag + b'\x08\x00' + ip + data

text = b'with a priority.'
s.send(udp(tags((0x8100, PRIORITY)), text))
while True:
    frame = s.recv(2000)
    if frame[6:12] == host and frame[12:14] == b'\x08\0' and \
       frame[23] == 17 and frame[42:42 + len(text)] == text:
        break
END
}

try() {
	start_host "$1" --mac 02:00:00:00:00:02 --address 192.0.2.2/24
	ip link set "$2" up
	wait_for grep -q LOWER_UP <(ip link show "$2")
	ask "$2" || fail "$1"
	kill "$host"
	end_of_host || fail "exit status $?"
}

ip tuntap add dev fdl0 mode tap
ip link add v0 type veth peer name v1
ip link set v1 up
try tap:fdl0 fdl0
try packet:v1 v0
