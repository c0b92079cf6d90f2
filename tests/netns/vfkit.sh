#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A host for a virtual machine of libkrun's or vfkit's, and one that connects as
# such a machine does. vfkit.py stands for the other side of each.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
vfkit=$(dirname "$0")/vfkit.py

"$fdlink" host "unixgram:$tmp/net,listen,vfkit" --address 192.0.2.2/24 \
	>"$tmp/host" 2>&1 &
host=$!
wait_for [ -S "$tmp/net" ]
python3 "$vfkit" vm "$tmp/net" || fail "a machine is not served"
kill -USR1 "$host"
wait_for grep -q '^rx_packets' "$tmp/host"
! grep -E '^rx_drop_(runt|empty|vnet_hdr) *[1-9]' "$tmp/host" ||
	fail "the hello was taken for a frame"
kill -INT "$host"
end_of_host || fail "exit status $?"

python3 "$vfkit" switch "$tmp/switch" >"$tmp/ready" &
switch=$!
wait_for grep -q ready "$tmp/ready"
start_host "unixgram:$tmp/switch,vfkit" --address 192.0.2.2/24
wait "$switch" || fail "a switch is not greeted and answered"
kill -INT "$host"
end_of_host || fail "exit status $?"
