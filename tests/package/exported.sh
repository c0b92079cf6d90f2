#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The shared library exports what the headers declare, no more and no less:
# exported.sh LIBRARY INCLUDE-FOLDER
set -eu
lib=$1
include=$2

case $lib in
*.a) lib=${lib%.a}.so ;;
esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

for header in "$include"/fdlink/*.h; do
	echo "#include \"$header\""
done | cc -std=c17 -E -P -I"$include" - |
	grep -oE '\bfdl_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u >"$tmp/declared"
nm -D --defined-only "$lib" | sed -n 's/.* [TDRB] \([^@]*\).*/\1/p' |
	sort >"$tmp/exported"
[ -s "$tmp/declared" ]
diff -U0 --label declared "$tmp/declared" --label exported "$tmp/exported"
