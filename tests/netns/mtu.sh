#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The device's MTU changes while connections run:
#
#	kernel  192.0.2.1, fd00::1
#	   |
#	 fdl0	a TAP, a TUN, or one end of a veth (with the host on fdl1)
#	   |
#	fdlink host  192.0.2.2, fd00::2
#
# mtu.sh tap|tun|packet
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
kind=${1:-tap}
dev=fdl0

if [ "$kind" = packet ]; then
	dev=fdl1
	ip link add fdl0 type veth peer name fdl1
	ip link set fdl1 up
else
	ip tuntap add dev fdl0 mode "$kind"
fi
# The neighbour stays who it was.
mac=(--mac 02:00:00:00:00:02)
[ "$kind" != tun ] || mac=()
ask_patiently fdl0
ip address add 192.0.2.1/24 dev fdl0
ip address add fd00::1/64 dev fdl0 nodad
ip link set fdl0 up

set_mtu() {
	ip link set "$dev" mtu "$1"
	ip link set fdl0 mtu "$1"
}

# A client of both versions: what was begun before goes on after a change, that
# the host is told of meanwhile.
clients() {
	python3 - "$tmp/changed" 3<"$tmp/go" >"$tmp/client" 2>&1 <<'END' &
import os, socket, sys

streams = []
for to in '192.0.2.2', 'fd00::2':
    s = socket.create_connection((to, 19), 30)
    s.settimeout(60)
    streams.append(s)
for s in streams:
    got = 0
    while got < 200000:
        got += len(s.recv(2000))
print('running', flush=True)
os.read(3, 1)
for s in streams:
    got = 0
    while got < 6000000:
        n = len(s.recv(65536))
        assert n, f'{got} bytes'
        got += n
print('whole', flush=True)
END
	client=$!
	wait_for grep -q running "$tmp/client"
}

# What the host says in its SYN, which the kernel keeps where its own MTU does
# not hide it.
announces() {
	python3 - "$@" <<'END'
import socket, sys

s = socket.create_connection((sys.argv[1], 7), 30)
mss = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
s.close()
sys.exit(mss != int(sys.argv[2]))
END
}

# Longer than the MTU, and than what the kernel sends in one piece.
pings() {
	ping -n -q -c 1 -W 2 -s "$1" 192.0.2.2 || return 1
	ping -n -q -c 1 -W 2 -s "$1" fd00::2
}

mkfifo "$tmp/go"
for mode in off on tso; do
	set_mtu 1500
	start_host "$kind:$dev" --offload "$mode" "${mac[@]}" \
		--address 192.0.2.2/24 --address fd00::2/64
	wait_for pings 1350
	exec 4<>"$tmp/go"
	clients
	set_mtu 1300
	wait_for announces 192.0.2.2 1260
	wait_for announces fd00::2 1240
	echo >&4
	wait "$client" || fail "$mode: $(cat "$tmp/client")"
	wait_for pings 1350
	# Only the host's word could keep the kernel from this.
	set_mtu 1500
	wait_for announces 192.0.2.2 1460
	wait_for announces fd00::2 1440
	no_csum_errors env
	kill -INT "$host"
	end_of_host || fail "$mode: exit status $?"
done
