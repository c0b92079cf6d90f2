#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Real traffic with a host behind a link, and what befalls the link:
#
#	kernel  192.0.2.1, fd00::1
#	   |
#	 fdl0  a TAP, or a TUN
#	   |
#	fdlink host  192.0.2.2, fd00::2
#
# host.sh tap|tun
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
kind=${1:-tap}

make_device() {
	ip tuntap add dev fdl0 mode "$kind"
	ask_patiently fdl0
	ip address add 192.0.2.1/24 dev fdl0
	ip address add fd00::1/64 dev fdl0 nodad
	ip link set fdl0 up
}

pings() {
	ping -n -q -c 3 -i 0.02 -W 2 192.0.2.2 || return 1
	ping -n -q -c 3 -i 0.02 -W 2 fd00::2
}

web() {
	curl -sf --max-time 30 http://192.0.2.2/ >"$tmp/page" || fail "no page"
	grep -q 192.0.2.2 "$tmp/page" || fail "a page without the address"
	curl -sf --max-time 30 'http://[fd00::2]/stats.json' >"$tmp/json" ||
		fail "no statistics"
	python3 -c '
import json, sys
s = json.load(open(sys.argv[1]))
assert s["rx_packets"] > 0 and s["tx_packets"] > 0, s' "$tmp/json" ||
		fail "the statistics are wrong: $(cat "$tmp/json")"
}

tcp_echo() {
	local got

	exec 3<>"/dev/tcp/$1/7"
	echo "hello over $1" >&3
	IFS= read -r -t 30 got <&3 || fail "no TCP echo from $1"
	[ "$got" = "hello over $1" ] || fail "TCP echo said '$got'"
	exec 3>&-
}

udp_echo() {
	local got

	exec 3<>/dev/udp/192.0.2.2/7
	echo datagram >&3
	# Not the shell's read: it takes a datagram by single bytes.
	got=$(timeout 30 head -c 9 <&3) || fail "no UDP echo"
	[ "$got" = datagram ] || fail "UDP echo said '$got'"
	exec 3>&-
}

# 8 MiB each way, whole.
streams() {
	local n

	n=$(timeout 60 head -c 8388608 </dev/tcp/192.0.2.2/19 | wc -c)
	[ "$n" = 8388608 ] || fail "chargen sent $n bytes of 8388608"
	timeout 60 head -c 8388608 /dev/zero >/dev/tcp/192.0.2.2/9 ||
		fail "discard did not take 8 MiB"
}

hundred_connections() {
	local fds=() fd got i

	for ((i = 0; i < 100; i++)); do
		exec {fd}<>/dev/tcp/192.0.2.2/7 || fail "connection $i"
		fds+=("$fd")
	done
	for ((i = 0; i < 100; i++)); do
		echo "number $i" >&"${fds[i]}"
	done
	for ((i = 0; i < 100; i++)); do
		IFS= read -r -t 30 got <&"${fds[i]}" || fail "silence on $i"
		[ "$got" = "number $i" ] || fail "connection $i said '$got'"
		fd=${fds[i]}
		exec {fd}>&-
	done
}

counters_on_signal() {
	kill -USR1 "$host"
	wait_for grep -q rx_packets "$tmp/host"
	kill -0 "$host" || fail "SIGUSR1 ended it"
}

# Down and up under a stream: it goes on where it was.
flap() {
	local got i

	timeout 60 head -c 33554432 </dev/tcp/192.0.2.2/19 | wc -c \
		>"$tmp/flapped" &
	for i in 1 2 3; do
		sleep 0.1
		ip link set fdl0 down
		ip link set fdl0 up
		ip address replace fd00::1/64 dev fdl0 nodad
	done
	wait $!
	got=$(cat "$tmp/flapped")
	[ "$got" = 33554432 ] || fail "$got bytes of 33554432 over flap $i"
	wait_for pings
}

make_device
start_host "$kind:fdl0" --address 192.0.2.2/24 --address fd00::2/64
wait_for pings
web
tcp_echo 192.0.2.2
tcp_echo fd00::2
udp_echo
streams
hundred_connections
counters_on_signal
flap

kill -TERM "$host"
end_of_host || fail "SIGTERM gave exit status $?"
grep -q tx_packets "$tmp/host" || fail "no counters at the end"

# A device that goes is told, in one sentence, and by the exit status.
start_host "$kind:fdl0" --address 192.0.2.2/24
wait_for ping -n -q -c 1 -W 1 192.0.2.2
ip link del fdl0
status=0
end_of_host || status=$?
[ $status = 1 ] || fail "a deleted device gave exit status $status"
grep -q fdl0 "$tmp/host" || fail "no word of the deleted device"
