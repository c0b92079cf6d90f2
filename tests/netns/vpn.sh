#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A file through the tunnel of examples/vpn.c:
#
#	peer   10.0.0.2  tun0 -- vpn	a namespace of its own
#	   |
#	 veth  192.0.2.2, 192.0.2.1
#	   |
#	here   10.0.0.1  tun0 -- vpn
#
# vpn.sh VPN
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=../lib/chain.sh
. "$(dirname "$0")/../lib/chain.sh"
vpn=$1
size=$((16 << 20))

start_chain
ip link add c1 type veth peer name c0
ip link set c0 netns "$peer"
ip address add 192.0.2.1/24 dev c1
ip link set c1 up
in_peer ip address add 192.0.2.2/24 dev c0
in_peer ip link set c0 up

"$vpn" tun:tun0,mtu=1400 192.0.2.2 2>"$tmp/near" &
nsenter -t "$peer" -n "$vpn" tun:tun0,mtu=1400 192.0.2.1 2>"$tmp/far" &
wait_for ip address add 10.0.0.1/24 dev tun0
wait_for in_peer ip address add 10.0.0.2/24 dev tun0
ip link set tun0 up
in_peer ip link set tun0 up
wait_for ping -n -q -c 1 -W 1 10.0.0.2

timeout 90 python3 "$ends" put 10.0.0.2 "$tmp/file" ||
	fail "the tunnel did not take the file: $(cat "$tmp/near" "$tmp/far")"
ping -n -q -c 3 -i 0.02 -W 10 -s 4000 10.0.0.2 || fail "no ping in fragments"

# The point of it: not one system call to a packet.
few "from the TUN" tun0 11 env
# Older kernels cut datagrams before a veth.
if ethtool -k c1 | grep -q '^tx-udp-segmentation: on'; then
	few "between the ends" c1 11 env
	few "to the TUN" tun0 3 in_peer
fi
no_csum_errors env
no_csum_errors in_peer
