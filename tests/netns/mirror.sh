#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The examples for event loops: mirror.sh MIRROR
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

sysctl -qw net.ipv6.conf.default.disable_ipv6=1 || :
python3 "$(dirname "$0")/mirror.py" "$1"
