#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The tests of the Python module, by pytest in a namespace of their own.
# run.sh PYTHON LIBDIR MODULES FILE: PYTHON finds the library in LIBDIR and the
# module in MODULES.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

python=$1
export LD_LIBRARY_PATH=$2 PYTHONPATH=$3 PYTHONDONTWRITEBYTECODE=1
# The kernel's own frames are none of a test's.
sysctl -qw net.ipv6.conf.default.disable_ipv6=1 || :

need='cffi pytest'
[[ $4 != *scapy* ]] || need+=' scapy'
for module in $need; do
	"$python" -c "import $module" 2>/dev/null ||
		skip "$python has no module $module"
done
# scapy keeps its settings at home.
export HOME=$tmp
"$python" -m pytest -q -p no:cacheprovider "$4"
