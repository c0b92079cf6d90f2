#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Trouble of every kind around wires that carry: chaos.sh [SECONDS [SEED]]
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
make_peer
python3 "$(dirname "$0")/chaos.py" "$fdlink" "$peer" "$tmp" "${1:-20}" \
	"${2:-1}"
