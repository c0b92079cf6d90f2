#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The host has the link address of its interface, also when that changes, and
# says which one it has:
#
#	kernel  192.0.2.1, fd00::1	fdl0
#	   |
#	fdlink host  192.0.2.2, fd00::2	fdl1, a macvlan: it filters by address
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
old=02:00:00:00:00:11 new=02:00:00:00:00:22

ip link add fdl0 type veth peer name under
ip link set under up
if ip link add link under name fdl1 type macvlan 2>/dev/null; then
	ip link set fdl1 address "$old"
else
	# The kernel has none: an end of a veth takes all frames.
	ip link set under down
	ip link set under name fdl1 address "$old"
fi
ip link set fdl1 up
ask_patiently fdl0
ip address add 192.0.2.1/24 dev fdl0
ip address add fd00::1/64 dev fdl0 nodad
ip link set fdl0 up

pings() {
	ping -n -q -c 1 -W 2 192.0.2.2 || return 1
	ping -n -q -c 1 -W 2 fd00::2
}

# Whom the kernel takes for the neighbour, without asking.
is_known() {
	ip neigh show to "$1" dev fdl0 | grep -q "$2"
}

neighbour() {
	ip neigh show to "$1" dev fdl4 | grep -q "$2"
}

# refused SENTENCE ARGUMENT...
refused() {
	local status=0 text=$1

	shift
	"$fdlink" host "$@" >"$tmp/host" 2>&1 || status=$?
	[ $status = 2 ] || fail "$*: exit status $status"
	grep -q -e "$text" "$tmp/host" || fail "$*: not the right sentence"
}

for mode in off tso; do
	start_host packet:fdl1 --offload "$mode" --mac device \
		--address 192.0.2.2/24 --address fd00::2/64
	grep -q "$old" "$tmp/host" || fail "$mode: another address"
	wait_for pings
	exec 3<>/dev/tcp/192.0.2.2/7 4<>/dev/tcp/fd00::2/7
	ip link set fdl1 address "$new"
	wait_for is_known 192.0.2.2 "$new"
	wait_for is_known fd00::2 "$new"
	for fd in 3 4; do
		echo "still here" >&$fd
		IFS= read -r -t 60 got <&$fd || fail "$mode: silence"
		[ "$got" = "still here" ] || fail "$mode: echo said '$got'"
	done
	exec 3>&- 4>&-
	ip link set fdl1 address "$old"
	wait_for is_known fd00::2 "$old"
	kill -INT "$host"
	end_of_host || fail "$mode: exit status $?"
done
# A host that starts anew has another address. It says so: the kernel, which
# remembers the former one, would not ask for an hour.
ip link add fdl4 type veth peer name fdl5
ip link set fdl5 up
echo 0 >/proc/sys/net/ipv6/conf/fdl4/disable_ipv6
for v in 4 6; do
	echo 3600000 >/proc/sys/net/ipv$v/neigh/fdl4/base_reachable_time_ms
done
ip address add 198.51.100.1/24 dev fdl4
ip address add fd01::1/64 dev fdl4 nodad
ip link set fdl4 up
for mac in "$old" "$new" "$old"; do
	for address in 198.51.100.2 fd01::2; do
		ip neigh replace "$address" lladdr 02:00:00:00:00:33 \
			dev fdl4 nud reachable
	done
	start_host packet:fdl5 --mac "$mac" --address 198.51.100.2/24 \
		--address fd01::2/64
	for address in 198.51.100.2 fd01::2; do
		wait_for neighbour "$address" "$mac"
	done
	kill -INT "$host"
	end_of_host || fail "$mac: exit status $?"
done
# Elsewhere the address is somebody else's, or there is none.
refused 'mac device' tap:fdl2 --mac device --address 192.0.2.2/24
refused 'leave out --mac' tun:fdl3 --mac device --address 192.0.2.2/24
