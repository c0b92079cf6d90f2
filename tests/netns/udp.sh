#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A host behind UDP, whose peer is socat: it puts a TAP's frames into datagrams,
# one each. Over IPv4 and, where this machine has it, IPv6.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

command -v socat >/dev/null || skip "socat is not installed: make deps does"

start_peer() {
	socat "$1" TUN,tun-type=tap,tun-name=fdu0,iff-no-pi >"$tmp/socat" 2>&1 &
	peer=$!
	wait_for ip link show fdu0
	ip address add 192.0.2.1/24 dev fdu0
	ip link set fdu0 up
}

# It may have ended by itself, when the host was gone.
stop_peer() {
	kill "$peer" 2>/dev/null || :
	wait "$peer" || :
	wait_for gone fdu0
}

gone() {
	! ip link show "$1"
}

check() {
	local what=$1 us=$2 them=$3 socat=$4 bytes

	start_host "udp:$them,local=$us" --address 192.0.2.2/24
	# The host speaks first, and nobody listens: that is no end.
	start_peer "$socat"
	ping -q -c 3 -i 0.2 -W 30 192.0.2.2 >/dev/null ||
		fail "$what: no answer"
	bytes=$(head -c 2000000 /dev/urandom | tee "$tmp/in" | timeout 60 \
		socat -t 30 - TCP4:192.0.2.2:7 | tee "$tmp/out" | wc -c)
	cmp "$tmp/in" "$tmp/out" || fail "$what: $bytes bytes came back"
	stop_peer
	start_peer "$socat"
	ping -q -c 1 -W 30 192.0.2.2 >/dev/null ||
		fail "$what: no answer to a peer that came back"
	kill -INT "$host"
	end_of_host || fail "$what: exit status $?"
	stop_peer
}

check IPv4 127.0.0.1:5001 127.0.0.1:5002 \
	UDP4:127.0.0.1:5001,bind=127.0.0.1:5002
if ping -6 -q -c 1 -W 5 ::1 >/dev/null 2>&1; then
	check IPv6 '[::1]:5001' '[::1]:5002' 'UDP6:[::1]:5001,bind=[::1]:5002'
else
	echo "no IPv6 here: IPv4 only"
fi
