#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# lwIP speaks with lwIP, whatever is left undone between them, and with VLAN
# tags also with the kernel:
#
#	client			192.0.2.3, fd00::3
#	   |
#	a TAP, with an AF_PACKET socket for its other end; a veth between two
#	AF_PACKET sockets; a pair of unix sockets
#	   |
#	fdlink host		192.0.2.2, fd00::2
#
# and so does lwIP on a thread of its own, program "threads" in place of client.
#
#	client			with tags
#	   |
#	a pair of unix sockets
#	   |
#	relay			takes the tags off, and puts them on
#	   |
#	a pair of unix sockets; a TAP
#	   |
#	fdlink host; the kernel	192.0.2.1, fd00::1
#
# stacks.sh [MIB]: so many MiB there and back, IPv4 and IPv6 (64).
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
size=$((${1:-64} << 20))
relay=$(realpath "${RELAY:-build/tests/netns/relay}" 2>/dev/null) ||
	relay=missing
client=$(realpath "${CLIENT:-build/tests/netns/client}" 2>/dev/null) ||
	client=missing
[ -x "$relay" ] || skip "no program that relays: \$RELAY is not set right"
[ -x "$client" ] || skip "no client: \$CLIENT is not set right"
threads=$(realpath "${THREADS:-build/tests/netns/threads}" 2>/dev/null) ||
	threads=missing

# KIND MTU WIRE: $near is the client's link, $far the host's.
make_link() {
	case $1 in
	tap)
		ip tuntap add dev m0 mode tap
		near=tap:m0,offload=$3 far=packet:m0 ;;
	packet)
		ip link add m0 type veth peer name m1
		ip link set m1 mtu "$2" up
		near=packet:m0 far=packet:m1 ;;
	*)
		far=$1:$tmp/link,listen,mtu=$2,offload=$3
		near=$1:$tmp/link,mtu=$2,offload=$3
		return ;;
	esac
	ip link set m0 mtu "$2" up
}

# LOCATOR STACK
begin_host() {
	"$fdlink" host "$1" --offload "$2" \
		--address 192.0.2.2/24 --address fd00::2/64 >"$tmp/host" 2>&1 &
	host=$!
	case $1 in
	*listen*) wait_for test -S "$tmp/link" ;;
	*) wait_for grep -q '^fdlink host: up' "$tmp/host" ;;
	esac
}

# It has ended by itself where the client was its peer.
finish_host() {
	kill "$host" 2>/dev/null || :
	end_of_host || grep -q 'the peer closed' "$tmp/host" ||
		fail "$what: exit status $?"
	! grep -E '(rx_drop_vnet_hdr|tx_drop_offload) *[1-9]' "$tmp/host" ||
		fail "$what: refused"
}

# STACK FAMILY HOST [TAG]
run_client() {
	local own=192.0.2.3 to=192.0.2.$3

	[ "$2" = 4 ] || own=fd00::3 to=fd00::$3
	timeout $patience "$client" "$near" "$1" $own "$to" "$size" \
		"${@:4}" 2>"$tmp/client" ||
		fail "$what: $(cat "$tmp/client")"
}

# KIND MTU WIRE NEAR FAR: what either stack has
pair() {
	local what family

	for family in 4 6; do
		what="$1, MTU $2, wire $3, client $4, host $5, IPv$family"
		[ "$3" = on ] || export FDLINK_TX_OFFLOAD=off
		make_link "$1" "$2" "$3"
		begin_host "$far" "$5"
		run_client "$4" $family 2
		unset FDLINK_TX_OFFLOAD
		finish_host
		[ ! -e /proc/sys/net/ipv6/conf/m0 ] || ip link del m0
		echo "$what: passed"
	done
}

# STACK: with lwIP on a thread of its own
threaded_pair() {
	local what family near far client=$threads

	for family in 4 6; do
		what="lwIP's own thread, client and host $1, IPv$family"
		make_link seqpacket 1500 on
		begin_host "$far" "$1"
		run_client "$1" $family 2
		finish_host
		echo "$what: passed"
	done
}

# LOCATOR WIRE
start_relay() {
	near=seqpacket:$tmp/near,mtu=1500,offload=$2
	"$relay" "$1" on "seqpacket:$tmp/near,listen,mtu=1500,offload=$2" on \
		7 >"$tmp/relay" 2>&1 &
	relay_pid=$!
	wait_for test -S "$tmp/near"
}

# WIRE NEAR FAR
tagged_pair() {
	local what family near far

	for family in 4 6; do
		what="tags, wire $1, client $2, host $3, IPv$family"
		make_link seqpacket 1500 "$1"
		begin_host "$far" "$3"
		start_relay "${far/,listen/}" "$1"
		run_client "$2" $family 2 7
		end_relay
		finish_host
		echo "$what: passed"
	done
}

# WIRE NEAR
tagged_kernel() {
	local what family

	for family in 4 6; do
		what="tags, wire $1, client $2, the kernel, IPv$family"
		ip tuntap add dev m0 mode tap
		ask_patiently m0
		ip address add 192.0.2.1/24 dev m0
		echo 0 >/proc/sys/net/ipv6/conf/m0/disable_ipv6
		ip address add fd00::1/64 dev m0 nodad
		ip link set m0 up
		start_relay "tap:m0,offload=$1" "$1"
		run_client "$2" $family 1 7
		no_csum_errors env
		end_relay
		ip link del m0
		echo "$what: passed"
	done
}

# Frames with a tag are not for a host that knows of none. The client would take
# an answer without one.
tag_unknown() {
	local what="a tag that the host does not know" near far

	make_link seqpacket 1500 on
	begin_host "$far" tso
	! timeout 4 "$client" "$near" tso 192.0.2.3 192.0.2.2 1 7 \
		2>"$tmp/client" || fail "$what: there was an answer"
	finish_host
	grep -q 'rx_packets *[1-9]' "$tmp/host" || fail "$what: nothing came"
	echo "$what: passed"
}

relay_pid=
# A second for every MiB is slow enough for any machine.
patience=$((10 + (size >> 20)))
# What is in the middle is nobody.
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
serve_echo
for stack in off on tso; do
	pair seqpacket 1500 on $stack $stack
	tagged_pair on $stack $stack
	tagged_kernel on $stack
	[ ! -x "$threads" ] || threaded_pair $stack
done
pair tap 1500 on tso tso
pair tap 9000 off tso on
pair tap 1280 on off tso
pair packet 1500 on tso off
pair packet 9000 on tso tso
pair packet 1280 off tso tso
pair seqpacket 9000 off tso tso
pair unixgram 1500 on tso tso
pair unixgram 9000 on on off
tagged_pair off tso tso
tagged_pair on tso off
tagged_kernel off tso
tag_unknown
