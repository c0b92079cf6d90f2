#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A stack in user space is behind a tunnel, and the kernel at its near end:
#
#	the kernel	192.0.2.1, fd00::1, on the tunnel's device t0
#	   |
#	a veth		and behind it, where that is said, fdlink connect, and a TAP
#	   |
#	t1		the tunnel's other device, in another namespace
#	   |
#	fdlink host	192.0.2.2, fd00::2: an AF_PACKET socket on t1; a TAP in a bridge
#			with t1; a unix socket that fdlink connect joins to t1
#
# and so is CLIENT, lwIP in each mode of receiving.
#
# behind.sh [MIB]: so many MiB there and back (8).
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
size=$((${1:-8} << 20))
client=$(realpath "${CLIENT:-build/tests/netns/client}" 2>/dev/null) ||
	client=missing
[ -x "$client" ] || skip "no client: \$CLIENT is not set right"
ends=$(dirname "$0")/ends.py
FDLINK_TEST_SANDBOX=${FDLINK_TEST_SANDBOX-}

# DEVICE LOCAL REMOTE TYPE [OPTION]...
add_tunnel() {
	local own=(local "$2")

	# GENEVE takes the address that the route has.
	[ "$4" != geneve ] || own=()
	ip link add "$1" mtu 1450 type "$4" "${own[@]}" remote "$3" "${@:5}"
}

start_wire() {
	: >"$tmp/$1"
	# shellcheck disable=SC2086 # an option, or none
	"$fdlink" connect $FDLINK_TEST_SANDBOX "$2" "$3" >"$tmp/$1" 2>&1 &
	wires+=($!)
}

end_wires() {
	local wire

	for wire in "${wires[@]}"; do
		kill "$wire" 2>/dev/null || :
		wait_for ended "$wire"
		wait "$wire" || grep -q 'the peer closed' "$tmp"/wire* ||
			fail "$what: a wire's exit status $?"
	done
	wires=()
}

# veth, or carried
make_underlay() {
	ip link add a0 type veth peer name b0
	if [ "$1" = carried ]; then
		ip link set b0 mtu 1600 up
		in_peer ip tuntap add dev c0 mode tap
		in_peer_call set_up_device c0 1600 2 10.9.0 fd09
		start_wire wire0 packet:b0 "tap:c0,netns=/proc/$peer/ns/net"
		wait_for grep -q '^fdlink connect: up' "$tmp/wire0"
	else
		ip link set b0 netns "$peer"
		in_peer_call set_up_device b0 1600 2 10.9.0 fd09
	fi
	set_up_device a0 1600 1 10.9.0 fd09
}

# OUTSIDE TYPE [OPTION]...: returns whether this kernel has such a tunnel.
make_tunnel() {
	local net=10.9.0.

	[ "$1" = 4 ] || net=fd09::
	shift
	add_tunnel t0 "${net}1" "${net}2" "$@" 2>"$tmp/err" || return 1
	in_peer_call add_tunnel t1 "${net}2" "${net}1" "$@"
	in_peer ip link set t1 up
	set_up_device t0 1450 1 192.0.2 fd00
}

remove() {
	local in

	end_wires
	ip link del a0
	# shellcheck disable=SC2016 # for the inner shell to expand
	for in in env in_peer; do
		$in bash -c 'for dev in t0 t1 c0 br0 m0; do
			ip link del $dev 2>/dev/null || :
		done'
	done
}

# packet, bridge or unix: $link is the stack's.
make_link() {
	local there="netns=/proc/$peer/ns/net"

	case $1 in
	packet) link=packet:t1,$there ;;
	bridge)
		in_peer bash -ec '
			ip link add br0 type bridge
			ip tuntap add dev m0 mode tap
			ip link set m0 mtu 1450 master br0 up
			ip link set t1 master br0
			ip link set br0 up'
		link=tap:m0,$there ;;
	unix)
		start_wire wire1 "packet:t1,$there" \
			"seqpacket:$tmp/link,listen,mtu=1450"
		wait_for test -S "$tmp/link"
		link=seqpacket:$tmp/link,mtu=1450 ;;
	esac
}

# What the host echoes.
# shellcheck disable=SC2016 # for the inner shell to expand
echo_sum() {
	timeout $patience bash -c 'exec 3<>/dev/tcp/$1/7
		cat "$2" >&3 &
		head -c "$3" <&3' - "$1" "$tmp/file" $size | sha256sum
}

# LINK OFFLOAD
serve_behind() {
	local link ip

	make_link "$1"
	start_host "$link" --offload "$2" --address 192.0.2.2/24 \
		--address fd00::2/64
	for ip in 192.0.2.2 fd00::2; do
		wait_for ping -n -q -c 1 -W 1 $ip
		[ "$(echo_sum $ip)" = "$file_sum" ] ||
			fail "$what: the echo of $ip is another file"
		python3 "$ends" echo $ip 1450 ||
			fail "$what: no datagrams to $ip"
	done
	kill "$host"
	end_of_host || fail "$what: exit status $?"
	# A TAP or a unix socket without offloads has none, nor has a TAP that a
	# tunnel is cut for.
	[[ $what != *veth*packet* ]] || [ "$(counter host rx_gso)" -gt 0 ] ||
		fail "$what: no super-packet came"
}

# MODE OFFLOAD
ask_behind() {
	local link

	make_link packet
	timeout $patience "$client" "$link" "$2,$1" 192.0.2.2 192.0.2.1 $size \
		2>"$tmp/client" || fail "$what: $(cat "$tmp/client")"
	timeout $patience "$client" "$link" "$2,$1" fd00::2 fd00::1 $size \
		2>"$tmp/client" || fail "$what: $(cat "$tmp/client")"
}

# FILE NAME: of both ends together
counter() {
	awk -v name="$2" '$1 == name { n += $2 + $3 } END { print n + 0 }' \
		"$tmp/$1"
}

nothing_lost() {
	local count file

	no_csum_errors env
	no_csum_errors in_peer
	for file in host wire0 wire1; do
		[ -e "$tmp/$file" ] || continue
		for count in rx_drop_tunnel rx_drop_vnet_hdr rx_drop_checksum \
			rx_drop_truncated tx_drop_offload; do
			[ "$(counter $file $count)" = 0 ] ||
				fail "$what: $(cat "$tmp/$file")"
		done
	done
	rm -f "$tmp/host" "$tmp/wire0" "$tmp/wire1"
}

# UNDERLAY ROLE HOW OFFLOAD OUTSIDE TYPE [OPTION]...: the role is of serve and
# ask; how is the link of one that serves, and the mode of one that asks.
behind() {
	what="${*:6} over IPv$5, $1: $2, $3, offload $4"
	make_underlay "$1"
	if make_tunnel "${@:5}"; then
		"$2_behind" "$3" "$4"
		remove
		nothing_lost
		echo "$what: passed"
	else
		remove
		[ "$6" != vxlan ] || skip "no VXLAN: $(cat "$tmp/err")"
		echo "$what: this kernel has none"
	fi
}

wires=()
# A second for every MiB is slow enough for any machine.
patience=$((30 + (size >> 20)))
# What is in the middle is nobody.
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
head -c $size /dev/urandom >"$tmp/file"
file_sum=$(sha256sum <"$tmp/file")
make_peer
in_peer sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
serve_echo
plain='4 vxlan id 7 dstport 4789'
summed="$plain udpcsum"
wide='6 vxlan id 7 dstport 4789 udp6zerocsumtx udp6zerocsumrx'
# shellcheck disable=SC2086 # lists of words
for offload in off on tso; do
	behind veth serve packet $offload $plain
	behind carried serve packet $offload $summed
	behind veth serve bridge $offload $wide
	behind veth serve unix $offload $summed
	behind veth serve packet $offload 4 gretap
	behind carried serve packet $offload 4 gretap key 5 csum
	behind veth serve packet $offload 4 gre
	behind carried serve packet $offload 4 gre key 5 csum
	behind veth serve packet $offload 6 ip6tnl mode any
	behind carried serve packet $offload 4 geneve id 7
	behind carried serve packet $offload 6 geneve id 7
done
# shellcheck disable=SC2086
for mode in readv recvmmsg packet_mmap adaptive; do
	behind veth ask $mode off $wide
	behind carried ask $mode on $plain
	behind veth ask $mode tso $summed
done
