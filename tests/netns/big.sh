#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A super-packet of BIG TCP, longer than 64 KiB, crosses a wire:
#
#	va --veth-- vb - fdlink connect - t0
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
FDLINK_TEST_SANDBOX=${FDLINK_TEST_SANDBOX-}
big_tcp=$(dirname "$0")/big_tcp.py

echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
ip link add va type veth peer name vb
ip link set va gso_max_size 200000 2>/dev/null ||
	skip "no device with a gso_max_size of more than 65536"
ip link set va up
ip link set vb up
# shellcheck disable=SC2086 # an option, or none
"$fdlink" connect packet:vb tap:t0 $FDLINK_TEST_SANDBOX >"$tmp/wire" 2>&1 &
wire=$!
wait_for grep -q '^fdlink connect: up' "$tmp/wire"
ip link set t0 up
python3 "$(dirname "$0")/big.py" va t0
kill "$wire"
wait_for ended "$wire"
wait "$wire" || fail "exit status $?"
grep -Eq '^tx_gso_cut.* [1-9]' "$tmp/wire" ||
	fail "nothing was longer than a slot: $(cat "$tmp/wire")"
! grep -E '^(rx_drop|tx_drop).* [1-9]' "$tmp/wire" || fail "dropped"

# 40 MB of the kernel's own, into a namespace of its own:
#
#	va --veth-- vb - fdlink connect - wb --veth-- wa
make_peer

# ADDRESS PORT
carry() {
	in_peer python3 "$big_tcp" take "$1" "$2" >"$tmp/taken" &
	taker=$!
	wait_for grep -q ready "$tmp/taken"
	python3 "$big_tcp" give "$1" "$2" >"$tmp/given"
	wait "$taker" || fail "$1: nothing was taken"
	[ "$(cat "$tmp/given")" = "$(tail -n 1 "$tmp/taken")" ] ||
		fail "$1: other bytes than were sent"
}

ip link add wb type veth peer name wa
ip link set wa netns "$peer"
ip link set wb up
python3 "$big_tcp" allow va 180000 2>/dev/null ||
	skip "no gso_max_size of IPv4"
python3 "$big_tcp" allow wb 180000
for end in 1 2; do
	run=env device=va
	[ $end = 1 ] || run=in_peer device=wa
	$run sh -c "echo 0 >/proc/sys/net/ipv6/conf/$device/disable_ipv6"
	$run ip link set "$device" up
	$run ip address add "192.0.2.$end/24" dev "$device"
	$run ip address add "fd00::$end/64" dev "$device" nodad
done
: >"$tmp/wire"
# shellcheck disable=SC2086 # an option, or none
"$fdlink" connect packet:vb packet:wb $FDLINK_TEST_SANDBOX >"$tmp/wire" 2>&1 &
wire=$!
wait_for grep -q '^fdlink connect: up' "$tmp/wire"
for address in 192.0.2.2 fd00::2; do
	wait_for ping -n -q -c 1 -W 1 $address
done
carry 192.0.2.2 7001
carry fd00::2 7002
# A retransmission or two happen; whole ones that nobody takes are sent for
# ever.
[ "$(nstat -az TcpRetransSegs | awk '/Retrans/ { print $2 }')" -lt 1000 ] ||
	fail "packets of BIG TCP were lost"
kill "$wire"
wait_for ended "$wire"
wait "$wire" || fail "exit status $?"
cat "$tmp/wire"
! grep -E '^(rx_drop|tx_drop).* [1-9]' "$tmp/wire" || fail "dropped"
echo "BIG TCP: passed"
