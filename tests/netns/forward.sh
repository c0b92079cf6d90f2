#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# examples/forward.c between two TAPs. It knows nothing of offloads, and the
# kernels at its two ends still give and get super-packets: forward.sh FORWARD
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=../lib/chain.sh
. "$(dirname "$0")/../lib/chain.sh"
forward=$1
size=$((16 << 20))

start_chain
"$forward" tap:f0 tap:f1 2>"$tmp/forward" &
wait_for ip link set f1 netns "$peer"
ip address add 10.0.0.1/24 dev f0
ip link set f0 up
in_peer ip address add 10.0.0.2/24 dev f1
in_peer ip link set f1 up
wait_for ping -n -q -c 1 -W 1 10.0.0.2

timeout 90 python3 "$ends" put 10.0.0.2 "$tmp/file" ||
	fail "the forwarder did not take the file: $(cat "$tmp/forward")"
few "from one kernel" f0 11 env
few "to the other" f1 3 in_peer
no_csum_errors env
no_csum_errors in_peer
