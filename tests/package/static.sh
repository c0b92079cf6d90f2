#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The static library shows fdl_* only, and programs link with it and run: by gcc
# and by clang, with and without optimizing as they link, however the library
# itself was compiled: static.sh SOURCE ARCHIVE
set -eu
source=$1
archive=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

fail() {
	echo "$*"
	exit 1
}

# WHAT COMPILER ARCHIVE PROGRAM FLAG...
link_and_run() {
	what="$1, linked by $2"
	cc=$2
	file=$3
	program=$4
	shift 4
	"$cc" -std=gnu17 -I"$source/include" "$@" \
		"$source/tests/package/$program" "$file" -pthread \
		-o "$tmp/program" || fail "$what $*: no program"
	"$tmp/program" >"$tmp/version" || fail "$what $*: it does not run"
	[ -s "$tmp/version" ] || fail "$what $*: it says nothing"
}

# WHAT ARCHIVE PROGRAM
prove() {
	others=$(nm --defined-only --extern-only "$2" 2>"$tmp/nm" |
		awk 'NF == 3 && $3 !~ /^fdl_/ { print $3 }')
	[ -z "$others" ] || fail "$1: it shows $others"
	[ ! -s "$tmp/nm" ] || fail "$1: $(cat "$tmp/nm")"
	link_and_run "$1" gcc "$2" "$3"
	link_and_run "$1" gcc "$2" "$3" -flto
	command -v clang >/dev/null || return 0
	link_and_run "$1" clang "$2" "$3"
	command -v ld.lld >/dev/null || return 0
	link_and_run "$1" clang "$2" "$3" -flto -fuse-ld=lld
}

# WHAT COMPILER CFLAGS OPTION...
build_and_prove() {
	name=$1
	compiler=$2
	flags=$3
	shift 3
	command -v "$compiler" >/dev/null || return 0
	if ! CC=$compiler CFLAGS=$flags meson setup "$tmp/$name" "$source" \
		-Dlwip=disabled -Dtests=disabled "$@" >"$tmp/log" 2>&1 ||
		! ninja -C "$tmp/$name" src/libfdlink.a \
			src/offload/libfdlink-offload.a >"$tmp/log" 2>&1; then
		cat "$tmp/log"
		fail "$name: no library"
	fi
	prove "$name" "$tmp/$name/src/libfdlink.a" outside.c
	prove "$name, offload" "$tmp/$name/src/offload/libfdlink-offload.a" \
		offload/round.c
}

prove 'as it was built' "$archive" outside.c
build_and_prove gcc-lto gcc '' -Db_lto=true
build_and_prove gcc-fat gcc '-O2 -flto=auto -ffat-lto-objects'
build_and_prove clang-lto clang '' -Db_lto=true
