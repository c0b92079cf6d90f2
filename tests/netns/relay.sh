#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Two kernels talk over three links, each packet carried on with what is left
# undone on it. In the middle one frames may have VLAN tags:
#
#	a0  a TAP: 192.0.2.1, fd00::1
#	 |
#	relay		takes all from a0, puts the tags on
#	 |
#	a TAP, with an AF_PACKET socket for its other end; a veth between two
#	AF_PACKET sockets; a pair of unix sockets
#	 |
#	relay		takes the tags off
#	 |
#	b0  a TAP in a namespace of its own: 192.0.2.2, fd00::2
#
# relay.sh RELAY [MIB [all]]: so many MiB each way, IPv4 and IPv6 (64); every
# combination, and not only a choice that has every pair of values.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=../lib/chain.sh
. "$(dirname "$0")/../lib/chain.sh"
relay=$(realpath "$1" 2>/dev/null) || relay=missing
size=$((${2:-64} << 20))
[ -x "$relay" ] || skip "no program that relays"

# LOG ARGUMENT...
start_relay() {
	local log=$tmp/$1

	shift
	"$relay" "$@" >"$log" 2>&1 &
	relays+=($!)
}

# KIND MTU STACK WIRE [TAG]...
start_relays() {
	local on=$3 one=packet:m0 two=packet:m1
	local far="tap:b0,netns=/proc/$peer/ns/net"

	case $1 in
	tap)
		one=tap:m0,offload=$4
		two=packet:m0 ;;
	seqpacket | unixgram)
		one=$1:$tmp/link,listen,mtu=$2,offload=$4
		two=$1:$tmp/link,mtu=$2,offload=$4 ;;
	esac
	[ "$4" = on ] || export FDLINK_TX_OFFLOAD=off
	start_relay one tap:a0 on "$one" "$on" "${@:5}"
	[[ $one != *listen* ]] || wait_for test -S "$tmp/link"
	start_relay two "$far" on "$two" "$on" "${@:5}"
	unset FDLINK_TX_OFFLOAD
}

end_relays() {
	local pid

	kill "${relays[@]}"
	for pid in "${relays[@]}"; do
		wait_for ended "$pid"
		wait "$pid" || fail "$what: exit status $?"
	done
	relays=()
	! grep -E '(rx_drop_vnet_hdr|tx_drop_offload) *[1-9]' "$tmp"/one \
		"$tmp"/two || fail "$what: refused"
}

# KIND MTU STACK WIRE [TAG]...
traffic() {
	local what="$1, MTU $2, stack $3, wire $4, tags: ${*:5}"
	local mtu=$2

	# The kernel gives a frame the room of one tag beyond the MTU.
	[ $# -lt 6 ] || mtu=$((mtu - 4))
	make_ends "$mtu"
	make_middle "$1" "$2"
	start_relays "$@"
	talk "$what" "$mtu"
	end_relays
	remove_devices
	echo "$what: passed"
}

every_pair() {
	traffic tap 1500 on on
	traffic tap 9000 off off 7
	traffic tap 1280 off on 7
	traffic packet 1500 off off 7
	traffic packet 9000 on on
	traffic packet 1280 on off
	traffic seqpacket 1500 on on 7
	traffic seqpacket 9000 off off
	traffic seqpacket 1280 off on
	traffic unixgram 1500 off off
	traffic unixgram 9000 on on 7
	traffic unixgram 1280 on off 7
	traffic packet 1500 off on 7 9
	traffic tap 9000 on off 7 9
}

every_combination() {
	local kind mtu stack wire

	for kind in tap packet seqpacket unixgram; do
		for mtu in 1280 1500 9000; do
			for stack in on off; do
				for wire in on off; do
					traffic $kind $mtu $stack $wire
					traffic $kind $mtu $stack $wire 7
				done
			done
		done
		[ ${#kind} -gt 6 ] || traffic $kind 1500 on on 7 9
	done
}

relays=()
start_chain
if [ "${3-}" = all ]; then
	every_combination
else
	every_pair
fi
