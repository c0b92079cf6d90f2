#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Two kernels talk inside a tunnel, and fdlink carries it:
#
#	vx0 over a0 - fdlink connect - b0 under vx1 in another namespace
#
# a0 and b0 are TAPs, or veths of which AF_PACKET sees the other end. What the
# kernels send are super-packets inside UDP; or segments, which fdlink merges if
# the other end takes them so; or in its place COALESCE, a program that writes
# them with FDL_COALESCE. Datagrams that come one by one do not wait for others.
#
# tunnel.sh [MIB [COALESCE]]: so many MiB each way, IPv4 and IPv6, in each
# tunnel (64).
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=../lib/chain.sh
. "$(dirname "$0")/../lib/chain.sh"
size=$((${1:-64} << 20))
coalesce=${2:+$(realpath "$2")}
FDLINK_TEST_SANDBOX=${FDLINK_TEST_SANDBOX-}

# The two ends of the underlay, which fdlink sees as $one and $two: KIND KIND
make_under() {
	one=tap:a0
	two="tap:b0,netns=/proc/$peer/ns/net"
	if [ "$1" = packet ]; then
		one=packet:a0w
		ip link add a0 type veth peer name a0w
		ip link set a0w mtu 1600 up
	else
		ip tuntap add dev a0 mode tap
	fi
	if [ "$2" = packet ]; then
		two=packet:b0w
		ip link add b0 type veth peer name b0w
		ip link set b0w mtu 1600 up
		ip link set b0 netns "$peer"
	else
		in_peer ip tuntap add dev b0 mode tap
	fi
}

# vxlan DEVICE UNDER LOCAL REMOTE [OPTION]...
make_tunnel() {
	if [ "$1" = geneve ]; then
		ip link add "$2" type geneve id 7 remote "$5" "${@:6}"
	else
		ip link add "$2" type vxlan id 7 dstport 4789 dev "$3" \
			local "$4" remote "$5" "${@:6}"
	fi
}

start_wire() {
	# What an earlier one said is not taken for this one's.
	: >"$tmp/one"
	: >"$tmp/two"
	"${wire[@]}" "$one" "$two" >"$tmp/one" 2>&1 &
	pid=$!
	wait_for grep -q ': up' "$tmp/one"
}

end_wire() {
	kill "$pid"
	wait_for ended "$pid"
	wait "$pid" || fail "$what: exit status $?"
}

# NAME: of both ends together
counter() {
	awk -v name="$1" '$1 == name { n += $2 + $3 } END { print n + 0 }' \
		"$tmp/one"
}

# VERSION: this kernel is so new.
is_linux() {
	printf '%s\n' "$1" "$(uname -r)" | sort -VC
}

# How an end takes what is inside the tunnel, if that has an outer checksum
# ($sum): KIND
takes() {
	if [ "$1" = tap ] && is_linux 6.17; then
		echo tunnels
	elif [ $sum = yes ] && is_linux 6.9; then
		echo datagrams
	elif [ $sum = yes ] && is_linux 6.2; then
		# Where a tunnel gets the first of them only, they go one by
		# one: before 6.6.26, and from 6.7 to 6.8.4.
		echo either
	else
		echo segments
	fi
}

# What went to the end of a COLUMN, from the one ACROSS. Nothing is expected
# where a kernel refuses what it seemed to take.
# expect_sent TAKES COLUMN ACROSS
expect_sent() {
	awk -v takes="$1" -v at="$2" -v across="$3" -v send=$send '
		$1 == "tx_offload_revoked" { revoked = $at }
		$1 == "rx_gso" { came = $across }
		$1 == "rx_gro_merged" { merged = $across }
		$1 == "tx_gso_cut" { cut = $at }
		$1 == "tx_segments" { pieces = $at }
		$1 == "tx_gso" { supers = $at }
		END {
			if (revoked)
				exit 0
			if (takes == "tunnels")
				exit cut > came
			# Some come complete inside, and were merged as they
			# are. With the headers of each what is cut may be too
			# long for one.
			if (takes == "datagrams")
				exit !supers || pieces > 2 * cut
			# What is cut anyway is not merged.
			exit takes == "segments" && send == "segments" && merged
		}' "$tmp/one" || fail "$what: not as $1: $(cat "$tmp/one")"
}

# What the kernels send, super-packets or segments; whether they leave the
# checksums inside of those to a device (off: then those outside); who carries
# it; and the counter that tells what was done.
send=super-packets
tx=on
# shellcheck disable=SC2206 # an option, or none
wire=("$fdlink" connect $FDLINK_TEST_SANDBOX)
came=rx_gso

# In a vxlan or geneve of these options:
# tunnel KIND KIND TYPE LOCAL REMOTE [OPTION]...
tunnel() {
	local a=$4 b=$5 one two sum=yes

	what="$1 to $2, $3 over $4 ${*:6}"
	[[ $what != *noudpcsum* && $what != *zerocsumtx* ]] || sum=no
	make_under "$1" "$2"
	set_up_device a0 1600 1 10.9.0 fd09
	in_peer_call set_up_device b0 1600 2 10.9.0 fd09
	make_tunnel "$3" vx0 a0 "$a" "$b" "${@:6}" 2>"$tmp/err" ||
		skip "no $3: $(cat "$tmp/err")"
	in_peer_call make_tunnel "$3" vx1 b0 "$b" "$a" "${@:6}"
	set_up_device vx0 1450 1 192.0.2 fd00
	in_peer_call set_up_device vx1 1450 2 192.0.2 fd00
	# Before that AF_PACKET cannot tell of a super-packet of datagrams,
	# which is lost.
	if ! is_linux 6.2; then
		ethtool -K vx0 tx-udp-segmentation off >"$tmp/ethtool"
		in_peer ethtool -K vx1 tx-udp-segmentation off >"$tmp/ethtool"
	fi
	if [ $send = segments ]; then
		what+=", $send, tx $tx, $came"
		ethtool -K vx0 tso off gso off tx $tx >"$tmp/ethtool"
		in_peer ethtool -K vx1 tso off gso off tx $tx >"$tmp/ethtool"
	fi
	# Nothing is on its way before both ends take it.
	start_wire
	talk "$what" 1450
	end_wire
	[ "$(counter $came)" -gt 0 ] || fail "$what: $came is 0"
	expect_sent "$(takes "$1")" 2 3
	expect_sent "$(takes "$2")" 3 2
	for count in rx_drop_tunnel rx_drop_vnet_hdr rx_drop_truncated \
		tx_drop_offload; do
		[ "$(counter $count)" = 0 ] || fail "$what: $(cat "$tmp/one")"
	done
	ip link del vx0
	ip link del a0
	in_peer ip link del vx1
	in_peer ip link del b0
	echo "$what: passed"
}

# Where a kernel knows it.
geneve=geneve
ip link add fdl1 type geneve id 1 remote 127.0.0.1 2>/dev/null || geneve=vxlan

start_chain
tunnel packet tap vxlan 10.9.0.1 10.9.0.2
tunnel packet packet $geneve 10.9.0.1 10.9.0.2 udpcsum
# A TAP takes and gives tunnels since Linux 6.17.
is_linux 6.17 || came=rx_packets
tunnel tap tap vxlan fd09::1 fd09::2
came=rx_gso
tunnel tap packet vxlan fd09::1 fd09::2 udp6zerocsumtx udp6zerocsumrx
send=segments
came=rx_packets
tunnel packet packet vxlan 10.9.0.1 10.9.0.2 noudpcsum
! is_linux 6.9 || came=rx_gro_merged
tunnel packet packet vxlan 10.9.0.1 10.9.0.2 udpcsum
tunnel packet tap $geneve 10.9.0.1 10.9.0.2 udpcsum
tx=off
tunnel tap tap vxlan 10.9.0.1 10.9.0.2 udpcsum
tx=on
[ -n "$coalesce" ] && is_linux 6.17 || exit 0
wire=("$coalesce")
came=tx_coalesced
tunnel packet tap vxlan fd09::1 fd09::2
