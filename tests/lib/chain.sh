# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For scripts that join two kernels by a chain of links: sourced behind
# netns.sh. One is here, one in a namespace of its own, $peer, and $tmp/file, of
# $size bytes, gets across. The ends that are made here are TAPs: a0, 192.0.2.1
# and fd00::1, and b0 in $peer, 192.0.2.2 and fd00::2.
ends=$(dirname "$0")/ends.py

# DEVICE MTU NUMBER
make_end() {
	ip tuntap add dev "$1" mode tap
	set_up_device "$1" "$2" "$3" 192.0.2 fd00
}

# The two ends, with this MTU.
make_ends() {
	make_end a0 "$1" 1
	in_peer_call make_end b0 "$1" 2
}

# KIND MTU
make_middle() {
	case $1 in
	tap) ip tuntap add dev m0 mode tap ;;
	packet)
		ip link add m0 type veth peer name m1
		ip link set m1 mtu "$2" up ;;
	*) return 0 ;;
	esac
	ip link set m0 mtu "$2" up
}

# TCP and UDP, IPv4 and IPv6, both ways; what the chain's programs said, in
# $tmp/one and $tmp/two, is shown where that fails.
# talk WHAT MTU
talk() {
	local ip

	for ip in 192.0.2.2 fd00::2; do
		wait_for ping -n -q -c 1 -W 1 $ip
		# Two minutes, and two seconds for every MiB, are enough for any
		# machine, also one that is emulated.
		timeout $((120 + (${size:?} >> 19))) python3 "$ends" talk $ip \
			"${tmp:?}/file" "$2" || {
			cat "$tmp/one" "$tmp/two" >&2
			fail "$1: with $ip"
		}
	done
	no_csum_errors env
	no_csum_errors in_peer
}

remove_devices() {
	ip link del a0
	in_peer ip link del b0
	[ ! -e /proc/sys/net/ipv6/conf/m0 ] || ip link del m0
}

# What is in the middle is nobody.
start_chain() {
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	head -c "$size" /dev/urandom >"$tmp/file"
	make_peer
	nsenter -t "${peer:?}" -n python3 "$ends" serve "$tmp/file" >"$tmp/server" &
	wait_for grep -q up "$tmp/server"
}

# Few packets carried the file: WHAT DEVICE FIELD COMMAND, the field of
# /proc/net/dev where COMMAND runs what it is given.
# shellcheck disable=SC2016 # for awk to expand
few() {
	local packets

	packets=$("${@:4}" awk -v dev="$2:" -v field="$3" \
		'$1 == dev { print $field }' /proc/net/dev)
	echo "$1: $packets packets"
	[ "$packets" -lt $((size / 1400 / 2)) ] ||
		fail "$1: $packets packets for $size bytes"
}
