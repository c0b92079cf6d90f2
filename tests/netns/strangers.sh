#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Peers that hold what others need, and one that comes back to its port:
#
#	kernel  192.0.2.1 --- fdl0, a TAP --- fdlink host  192.0.2.2
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

command -v python3 >/dev/null || skip "no python3"

ip tuntap add dev fdl0 mode tap
ask_patiently fdl0
ip address add 192.0.2.1/24 dev fdl0
ip link set fdl0 up
start_host tap:fdl0 --address 192.0.2.2/24
wait_for ping -n -q -c 1 -W 1 192.0.2.2

python3 "$(dirname "$0")/strangers.py" 192.0.2.2 "$host" ||
	fail "a good client was not served"

kill "$host"
end_of_host || fail "exit status $? of the host"
