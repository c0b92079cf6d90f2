#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What was built against the last release runs with this library, or the soname
# says that it does not: abi.sh SOURCE SHARED-LIBRARY
set -eu
source=$1
shared=$2

skip() {
	echo "$*"
	exit 77
}

command -v abidiff >/dev/null ||
	skip 'abidiff is missing: apt-get install abigail-tools'
tag=$(git -C "$source" describe --tags --abbrev=0 --match 'v[0-9]*' \
	2>/dev/null) || skip 'no release is tagged yet (v0.1.0)'

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/source"
git -C "$source" archive "$tag" | tar -x -C "$tmp/source"
if ! meson setup "$tmp/build" "$tmp/source" -Dlwip=disabled \
		-Dtests=disabled >"$tmp/log" 2>&1 ||
	! meson compile -C "$tmp/build" >"$tmp/log" 2>&1; then
	cat "$tmp/log"
	echo "$tag does not build"
	exit 1
fi

soname() {
	readelf -d "$1" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p'
}

released=$(readlink -f "$tmp/build/src/libfdlink.so")
if [ "$(soname "$released")" != "$(soname "$shared")" ]; then
	echo "$(soname "$shared") may differ from $tag's $(soname "$released")"
	exit 0
fi
# Bit 3: incompatible. What was added is compatible.
status=0
abidiff --headers-dir1 "$tmp/source/include" --headers-dir2 "$source/include" \
	--no-added-syms "$released" "$shared" >"$tmp/difference" || status=$?
if [ $((status & 11)) != 0 ]; then
	cat "$tmp/difference"
	echo "the interface breaks what was built against $tag: give it a new" \
		"minor version in meson.build"
	exit 1
fi
