#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A path that is narrower than its ends, which only "packet too big" tells:
#
#	client  fd00:1::1, 198.51.100.1	c0 1500, in a namespace beside this one
#	   |
#	router  fd00:1::2, 198.51.100.2	c1 1280
#	   |    fd00:2::1, 203.0.113.1	h0 1500
#	   |
#	fdlink host  fd00:2::2, 203.0.113.2	h1 1500
#
# What arrives is whole, and no segment of TCP comes in fragments, except over
# IPv4 on a path that is narrower than any that is believed.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

counted() {
	nstat -az "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

counted_there() {
	in_peer nstat -az "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

make_path() {
	make_peer
	ip link add c1 mtu 1280 type veth peer name c0 mtu 1500 netns "$peer"
	ip link add h0 mtu 1500 type veth peer name h1 mtu 1500
	ip address add fd00:1::2/64 dev c1 nodad
	ip address add 198.51.100.2/24 dev c1
	ip address add fd00:2::1/64 dev h0 nodad
	ip address add 203.0.113.1/24 dev h0
	in_peer ip address add fd00:1::1/64 dev c0 nodad
	in_peer ip address add 198.51.100.1/24 dev c0
	for dev in c1 h0 h1; do
		ip link set "$dev" up
	done
	in_peer ip link set c0 up
	# The router's end takes nothing longer, either: only TCP is not told.
	in_peer ip route add default via fd00:1::2 mtu 1280 advmss 1440
	in_peer ip route add default via 198.51.100.2 mtu 1280 advmss 1460
	ask_patiently h0
	ask_patiently c1
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	echo 1 >/proc/sys/net/ipv4/ip_forward
	# Every one that is due is to be sent.
	echo 0 >/proc/sys/net/ipv6/icmp/ratelimit
	echo 0 >/proc/sys/net/ipv4/icmp_ratelimit
}

# download ADDRESS
download() {
	local n

	n=$(in_peer bash -c "timeout 60 head -c 8388608 </dev/tcp/$1/19 | wc -c")
	[ "$n" = 8388608 ] || fail "$mode: chargen sent $n bytes of 8388608"
}

# learns ADDRESS ERRORS REASSEMBLED: the counters of the router, and the client
learns() {
	local before after fragments

	before=$(counted "$2")
	fragments=$(counted_there "$3")
	download "$1"
	after=$(counted "$2")
	[ "$after" -gt "$before" ] || fail "$mode: $1: the path was not narrow"
	# The path is known, and a new connection begins with what fits.
	download "$1"
	[ "$(counted "$2")" = "$after" ] ||
		fail "$mode: $1: what was learned is forgotten"
	[ "$(counted_there "$3")" = "$fragments" ] ||
		fail "$mode: $1: TCP came in fragments"
}

pings() {
	in_peer ping -n -q -c 1 -W 2 "$@" fd00:2::2
}

make_path
for mode in off on tso; do
	# The neighbour stays who it was.
	start_host packet:h1 --offload "$mode" --mac 02:00:00:00:00:02 \
		--address fd00:2::2/64 --gateway fd00:2::1 \
		--address 203.0.113.2/24 --gateway 203.0.113.1
	wait_for pings
	learns fd00:2::2 Icmp6OutPktTooBigs Ip6ReasmReqds
	learns 203.0.113.2 IcmpOutDestUnreachs IpReasmReqds
	# What is no TCP does.
	pings -s 1400 || fail "$mode: no long answer"
	ip link set c1 mtu 500
	download 203.0.113.2
	ip link set c1 mtu 1280
	ip address add fd00:1::2/64 dev c1 nodad
	no_csum_errors in_peer
	kill "$host"
	end_of_host || fail "$mode: exit status $?"
done
