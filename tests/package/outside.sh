#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A program outside the tree builds against a staged installation, in C17 and
# C++17 with all warnings, by pkg-config and by CMake, and runs:
# outside.sh BUILD PREFIX LIBDIR
set -eu
build=$1
prefix=$2
libdir=$3
here=$(cd "$(dirname "$0")" && pwd)

for tool in pkg-config cmake g++; do
	if ! command -v $tool >/dev/null; then
		echo "$tool is missing: make deps installs it"
		exit 77
	fi
done

# shellcheck source=staged.sh
. "$(dirname "$0")/staged.sh"

warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'
flags=$(pkg-config --cflags --libs fdlink)
static=$(pkg-config --static --cflags --libs fdlink)
cp "$here/outside.c" "$tmp/outside.c"
cp "$here/outside.c" "$tmp/outside.cc"
cd "$tmp"
# shellcheck disable=SC2086 # lists of words
{
	cc -std=c17 $warnings -Wstrict-prototypes outside.c -o c $flags
	c++ -std=c++17 $warnings -Wold-style-cast -x c++ outside.cc -o cxx $flags
	cc -std=c17 $warnings outside.c -o static -Wl,-Bstatic $static \
		-Wl,-Bdynamic
}

# Each header stands alone, in strict C99 as well.
for header in "$stage$prefix"/include/fdlink/*.h; do
	name=fdlink/$(basename "$header")
	for language in 'c -std=c99' 'c -std=c17' 'c++ -std=c++17'; do
		# shellcheck disable=SC2086 # lists of words
		echo "#include <$name>" | cc -x $language $warnings \
			-I"$stage$prefix/include" -fsyntax-only -
	done
done

{
	cmake -S "$here" -B cmake -DCMAKE_PREFIX_PATH="$stage$prefix"
	cmake --build cmake
} >"$tmp/log" 2>&1 || {
	cat "$tmp/log"
	exit 1
}

version=$(pkg-config --modversion fdlink)
for program in ./c ./cxx ./static cmake/outside; do
	[ "$($program)" = "$version" ] || {
		echo "$program says '$($program)', not '$version'"
		exit 1
	}
done
soname=libfdlink.so.$(echo "$version" | cut -d . -f 1,2)
readelf -d ./c | grep -q "NEEDED.*\[$soname\]" || {
	readelf -d ./c
	echo "a program of $version does not ask for $soname"
	exit 1
}
[ "$("$stage$prefix/bin/fdlink" --version)" = "fdlink $version" ]
