#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A path that is narrower than its ends, which only "packet too big" tells:
#
#	client  fd00:1::1	c0 1500, in a namespace beside this one
#	   |
#	router  fd00:1::2	c1 1280
#	   |    fd00:2::1	h0 1500
#	   |
#	fdlink host  fd00:2::2	h1 1500
#
# What arrives is whole, and no segment of TCP comes in fragments.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

counted() {
	nstat -az "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

make_path() {
	make_peer
	ip link add c1 mtu 1280 type veth peer name c0 mtu 1500 netns "$peer"
	ip link add h0 mtu 1500 type veth peer name h1 mtu 1500
	ip address add fd00:1::2/64 dev c1 nodad
	ip address add fd00:2::1/64 dev h0 nodad
	in_peer ip address add fd00:1::1/64 dev c0 nodad
	for dev in c1 h0 h1; do
		ip link set "$dev" up
	done
	in_peer ip link set c0 up
	# The router's end takes nothing longer, either: only TCP is not told.
	in_peer ip route add default via fd00:1::2 mtu 1280 advmss 1440
	ask_patiently h0
	ask_patiently c1
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	# Every one that is due is to be sent.
	echo 0 >/proc/sys/net/ipv6/icmp/ratelimit
}

download() {
	local n

	n=$(in_peer bash -c 'timeout 60 head -c 8388608 \
		</dev/tcp/fd00:2::2/19 | wc -c')
	[ "$n" = 8388608 ] || fail "$mode: chargen sent $n bytes of 8388608"
}

pings() {
	in_peer ping -n -q -c 1 -W 2 "$@" fd00:2::2
}

make_path
for mode in off on tso; do
	# The neighbour stays who it was.
	start_host packet:h1 --offload "$mode" --mac 02:00:00:00:00:02 \
		--address fd00:2::2/64 --gateway fd00:2::1
	wait_for pings
	before=$(counted Icmp6OutPktTooBigs)
	fragments=$(in_peer nstat -az Ip6ReasmReqds | awk '/Reasm/ { print $2 }')
	download
	after=$(counted Icmp6OutPktTooBigs)
	[ "$after" -gt "$before" ] || fail "$mode: the path was not narrow"
	# The path is known, and a new connection begins with what fits.
	download
	[ "$(counted Icmp6OutPktTooBigs)" = "$after" ] ||
		fail "$mode: what was learned is forgotten"
	[ "$(in_peer nstat -az Ip6ReasmReqds | awk '/Reasm/ { print $2 }')" = \
		"$fragments" ] || fail "$mode: TCP came in fragments"
	# What is no TCP does.
	pings -s 1400 || fail "$mode: no long answer"
	no_csum_errors in_peer
	kill "$host"
	end_of_host || fail "$mode: exit status $?"
done
