#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A super-packet of BIG TCP, longer than a slot, crosses a wire; whatever mode it
# is received in:
#
#	va --veth-- vb - fdlink connect - t0
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
FDLINK_TEST_SANDBOX=${FDLINK_TEST_SANDBOX-}

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
grep -q '^rx_gso_cut  *[1-9]' "$tmp/wire" ||
	fail "nothing was longer than a slot: $(cat "$tmp/wire")"
! grep -E '^(rx_drop|tx_drop).* [1-9]' "$tmp/wire" || fail "dropped"
echo "BIG TCP: passed"
