#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Bytes arrive as they were sent, whoever does the checksums and the cutting:
#
#	client  198.51.100.2, fd01::2	a namespace of its own
#	   |
#	 veth	no offloads: what is forwarded to it is cut, its checksums
#	   |	completed, and at the other end verified, by the kernel
#	router  192.0.2.1, fd00::1
#	   |
#	 fdl0	a TAP, a TUN, or a veth with an AF_PACKET socket; or a TAP
#	   |	relayed to a unix socket
#	   |
#	fdlink host  192.0.2.2, fd00::2
#
# traffic.sh [MIB [all]]: so many MiB each way, IPv4 and IPv6 (64); every
# combination, and not only a choice that has every pair of values. RELAY is the
# program that relays.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
size=$((${1:-64} << 20))
relay=$(realpath "${RELAY:-build/tests/netns/relay}" 2>/dev/null) ||
	relay=missing
[ -x "$relay" ] || skip "no program that relays: \$RELAY is not set right"
ends=$(dirname "$0")/ends.py

make_client() {
	make_peer
	# A router whose link-local address is still tentative asks nobody.
	echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
	ip link add c1 type veth peer name c0
	ip link set c0 netns "$peer"
	ethtool -K c1 tx off tso off gso off >/dev/null
	ip address add 198.51.100.1/24 dev c1
	ip address add fd01::1/64 dev c1 nodad
	ip link set c1 up
	in_peer ethtool -K c0 tx off tso off gso off >/dev/null
	in_peer ip address add 198.51.100.2/24 dev c0
	in_peer ip address add fd01::2/64 dev c0 nodad
	in_peer ip link set c0 up
	in_peer ip route add default via 198.51.100.1
	in_peer ip route add default via fd01::1
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
}

# KIND MTU WIRE
make_link() {
	local kind=$1

	[[ $kind != seqpacket && $kind != unixgram ]] || kind=tap
	if [ "$kind" = packet ]; then
		ip link add fdl0 type veth peer name fdl1
		[ "$3" = on ] ||
			ethtool -K fdl0 tx off tso off gso off >/dev/null
		ip link set fdl1 mtu "$2" up
	else
		ip tuntap add dev fdl0 mode "$kind"
	fi
	ask_patiently fdl0
	ip address add 192.0.2.1/24 dev fdl0
	ip address add fd00::1/64 dev fdl0 nodad
	ip link set fdl0 mtu "$2" up
	ip link set c1 mtu "$2"
	in_peer ip link set c0 mtu "$2"
}

# KIND MTU WIRE
start_relay() {
	"$relay" tap:fdl0 on "$1:$tmp/link,listen,mtu=$2,offload=$3" on \
		>"$tmp/relay" 2>&1 &
	relay_pid=$!
	wait_for test -S "$tmp/link"
}

# KIND MTU WIRE STACK
start() {
	local locator=$1:fdl0,offload=$3

	case $1 in
	packet)
		locator=packet:fdl1
		export FDLINK_TX_OFFLOAD=$3 ;;
	seqpacket | unixgram)
		start_relay "$1" "$2" "$3"
		locator=$1:$tmp/link,mtu=$2,offload=$3 ;;
	esac
	start_host "$locator" --offload "$4" \
		--address 192.0.2.2/24 --gateway 192.0.2.1 \
		--address fd00::2/64 --gateway fd00::1
	unset FDLINK_TX_OFFLOAD
}

# What the host echoes, and what it makes up.
# shellcheck disable=SC2016 # for the inner shell to expand
echo_sum() {
	in_peer timeout $patience bash -c 'exec 3<>/dev/tcp/$1/7
		cat "$2" >&3 &
		head -c "$3" <&3' - "$1" "$tmp/file" $size | sha256sum
}

# shellcheck disable=SC2016
chargen_sum() {
	in_peer timeout $patience bash -c 'exec 3<>/dev/tcp/$1/19
		head -c "$2" <&3' - "$1" $size | sha256sum
}

# KIND MTU STACK WIRE
traffic() {
	local what="$1, MTU $2, stack $3, wire $4" host_ip

	make_link "$1" "$2" "$4"
	start "$1" "$2" "$4" "$3"
	for host_ip in 192.0.2.2 fd00::2; do
		wait_for in_peer ping -n -q -c 1 -W 1 $host_ip
		[ "$(echo_sum $host_ip)" = "$file_sum" ] ||
			fail "$what: the echo of $host_ip is another file"
		[ "$(chargen_sum $host_ip)" = "$pattern_sum" ] ||
			fail "$what: $host_ip makes up other bytes"
		in_peer python3 "$ends" echo $host_ip "$2" ||
			fail "$what: no datagrams to $host_ip"
	done
	no_csum_errors env
	no_csum_errors in_peer
	kill "$host"
	end_of_host || fail "$what: exit status $?"
	grep -q 'rx_drop_vnet_hdr *0$' "$tmp/host" || fail "$what: refused"
	grep -q 'tx_drop_offload *0$' "$tmp/host" || fail "$what: refused"
	end_relay
	ip link del fdl0
	echo "$what: passed"
}

# STACK NAME: what the host sends, over a path that make_link did not make.
one_way() {
	local what=$2 host_ip

	start tap 1500 on "$1"
	for host_ip in 192.0.2.2 fd00::2; do
		wait_for in_peer ping -n -q -c 1 -W 1 $host_ip
		[ "$(chargen_sum $host_ip)" = "$pattern_sum" ] ||
			fail "$what: $host_ip makes up other bytes"
	done
	no_csum_errors env
	no_csum_errors in_peer
	kill "$host"
	end_of_host || fail "$what: exit status $?"
	ip link del fdl0
	echo "$what: passed"
}

# STACK: a path narrower than the link, which lwIP's segments are cut for: IPv4
# by the router, IPv6 by lwIP, and the checksum is none of the wire's then; or,
# with segmentation offload, by the link.
narrow_path() {
	make_link tap 1500 on
	ip link set c1 mtu 1280
	one_way "$1" "a narrow path, stack $1"
}

# STACK: a slower link behind the router, whose queue overflows again and again.
slow_path() {
	make_link tap 1500 on
	tc qdisc add dev c1 root tbf rate 1gbit burst 128k limit 250k \
		2>/dev/null || {
		echo "a slow path: this kernel has no tbf"
		ip link del fdl0
		return
	}
	one_way "$1" "a slow path, stack $1"
	tc qdisc del dev c1 root
}

every_pair() {
	traffic tap 1500 on on
	traffic tap 9000 off off
	traffic tap 1280 on off
	traffic tun 1500 off off
	traffic tun 9000 on on
	traffic tun 1280 off on
	traffic packet 1500 on off
	traffic packet 9000 off on
	traffic packet 1280 off off
	traffic tap 1500 tso on
	traffic tun 1280 tso off
	traffic packet 9000 tso off
	traffic seqpacket 1500 tso off
	traffic seqpacket 1500 off on
	traffic seqpacket 9000 on off
	traffic seqpacket 1280 on on
	traffic unixgram 1500 on on
	traffic unixgram 9000 off off
	traffic unixgram 1280 off on
}

every_combination() {
	local kind mtu stack wire

	for kind in tap tun packet seqpacket unixgram; do
		for mtu in 1280 1500 9000; do
			for stack in on tso off; do
				for wire in on off; do
					traffic $kind $mtu $stack $wire
				done
			done
		done
	done
}

relay_pid=
# A second for every MiB is slow enough for any machine.
patience=$((10 + (size >> 20)))
head -c $size /dev/urandom >"$tmp/file"
file_sum=$(sha256sum <"$tmp/file")
pattern_sum=$(python3 -c '
import sys
line = lambda n: bytes(32 + (n + i) % 95 for i in range(72)) + b"\r\n"
period = b"".join(line(n) for n in range(95))
left = int(sys.argv[1])
while left:
    left -= sys.stdout.buffer.write(period[:left])' $size | sha256sum)
make_client
for stack in on tso; do
	narrow_path $stack
	slow_path $stack
done
if [ "${2-}" = all ]; then
	every_combination
else
	every_pair
fi
