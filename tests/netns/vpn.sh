#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Files through a tunnel of two VPN programs, which outlive that their peer is
# not there, that nothing reaches it, and that the path gets narrower:
#
#	peer   10.0.0.2, fd10::2  tun0 -- vpn	a namespace of its own
#	   |
#	 veth  192.0.2.2, fd00::2 and 192.0.2.1, fd00::1
#	   |
#	here   10.0.0.1, fd10::1  tun0 -- vpn
#
# vpn.sh VPN TUN [brief]: VPN TUN PEER-ADDRESS is run at each end, and makes
# tun0. One that is brief knows no narrow paths.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=../lib/chain.sh
. "$(dirname "$0")/../lib/chain.sh"
vpn=$1
tun=$2
brief=${3-}
size=$((16 << 20))

start_chain
ip link add c1 type veth peer name c0
ip link set c0 netns "$peer"

# WHERE DEVICE NUMBER IPV4-NET IPV6-NET: env or in_peer
give_addresses() {
	"$1" sh -c "echo 0 >/proc/sys/net/ipv6/conf/$2/disable_ipv6"
	"$1" ip address add "$4.$3/24" dev "$2"
	"$1" ip address add "$5::$3/64" dev "$2" nodad
	"$1" ip link set "$2" up
}

give_addresses env c1 1 192.0.2 fd00
give_addresses in_peer c0 2 192.0.2 fd00

start_near() {
	"$vpn" "$tun" "$1" 2>"$tmp/one" &
	near=$!
	wait_for ip link set tun0 mtu 1400
	give_addresses env tun0 1 10.0.0 fd10
}

start_far() {
	nsenter -t "$peer" -n "$vpn" "$tun" "$1" 2>"$tmp/two" &
	far=$!
	wait_for in_peer ip link set tun0 mtu 1400
	give_addresses in_peer tun0 2 10.0.0 fd10
}

# An end of this test's, and what it said.
stop() {
	! ended "$1" || fail "a VPN has ended: $(cat "$tmp/one" "$tmp/two")"
	kill "$1"
	wait "$1" || :
}

answers() {
	ping -n -q -c 1 -W 1 10.0.0.2
}

# What is sent is told to be lost; which is asked for by a ping each time.
# WORDS
says() {
	answers >/dev/null 2>&1 || :
	grep -q "$1" "$tmp/one"
}

# Through ADDRESS-HERE ADDRESS-THERE
through() {
	local ip

	start_near "$2"
	wait_for says 'Connection refused'
	start_far "$1"
	wait_for answers
	for ip in 10.0.0.2 fd10::2; do
		timeout $((20 + (size >> 18))) python3 "$ends" talk $ip \
			"$tmp/file" 1400 || fail "through $2, with $ip:" \
			"$(cat "$tmp/one" "$tmp/two")"
	done
	no_csum_errors env
	no_csum_errors in_peer
}

through 192.0.2.1 192.0.2.2
# The point of it: not one system call to a packet.
few "from the TUN" tun0 11 env
# Older kernels cut datagrams before a veth.
if ethtool -k c1 | grep -q '^tx-udp-segmentation: on'; then
	few "between the ends" c1 11 env
	few "to the TUN" tun0 3 in_peer
fi

# A datagram of an MTU does not pass as one any more, nor with UDP_SEGMENT.
if [ "$brief" != brief ]; then
	ip link set c1 mtu 1300
	in_peer ip link set c0 mtu 1300
	timeout 90 python3 "$ends" tcp 10.0.0.2 "$tmp/file" ||
		fail "through a path of 1300 bytes: $(cat "$tmp/one" "$tmp/two")"
	ip link set c1 mtu 1500
	in_peer ip link set c0 mtu 1500
fi

# No way there, and then one again.
ip address del 192.0.2.1/24 dev c1
wait_for says 'unreachable'
ip address add 192.0.2.1/24 dev c1
wait_for answers
stop "$near"
stop "$far"

through fd00::1 fd00::2
stop "$near"
stop "$far"
