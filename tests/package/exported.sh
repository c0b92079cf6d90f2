#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Both libraries export what the headers declare, no more and no less:
# exported.sh SHARED-LIBRARY INCLUDE-FOLDER
set -eu
shared=$1
static=${shared%.so*}.a
include=$2

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

names() {
	sed -n 's/.* [TDRB] \([^@]*\).*/\1/p' | sort
}

for header in "$include"/fdlink/*.h; do
	echo "#include \"$header\""
done | cc -std=c17 -E -P -I"$include" - | sed "/static inline/d" |
	grep -oE '\bfdl_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u >"$tmp/declared"
nm -D --defined-only "$shared" | names >"$tmp/shared"
nm -g --defined-only "$static" | names >"$tmp/static"
[ -s "$tmp/declared" ]
for library in shared static; do
	diff -U0 --label declared "$tmp/declared" \
		--label "exported by the $library library" "$tmp/$library"
done
