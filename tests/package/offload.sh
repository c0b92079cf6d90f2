#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What needs no endpoint is a library of its own: as installed, by pkg-config
# and by CMake; as a Meson subproject; and as a directory that is written for
# another program's tree, by gcc and by clang: offload.sh SOURCE BUILD PREFIX
# LIBDIR PROGRAM.c
set -eu
source=$1
build=$2
prefix=$3
libdir=$4
round=$5
here=$(cd "$(dirname "$0")" && pwd)

for tool in pkg-config cmake; do
	if ! command -v $tool >/dev/null; then
		echo "$tool is missing: make deps installs it"
		exit 77
	fi
done

# shellcheck source=staged.sh
. "$(dirname "$0")/staged.sh"
cd "$tmp"
warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'
headers="$stage$prefix/include/fdlink"

fail() {
	echo "$*"
	exit 1
}

# WHAT PROGRAM
same() {
	[ "$("$2")" = 'the same' ] || fail "$1: what went in does not come out"
}

# What is done by COMMAND... is shown only where it fails.
quietly() {
	"$@" >"$tmp/log" 2>&1 || {
		cat "$tmp/log"
		fail "$*"
	}
}

# It shows what its headers declare, and needs nothing except memory's
# functions: no I/O, no threads, no allocation. WHAT ARCHIVE
is_pure() {
	for name in offload packet run; do
		echo "#include \"$headers/$name.h\""
	done | cc -std=c17 -E -P -I"$headers/.." - |
		grep -oE '\bfdl_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u >declared
	nm -g --defined-only "$2" | awk 'NF == 3 { print $3 }' | sort >shown
	diff -U0 --label declared --label "shown by $1" declared shown
	needs=$(nm -u "$2" | awk 'NF == 2 { print $2 }' | grep -vxE \
		'mem(cmp|cpy|move|set)|bcmp|_GLOBAL_OFFSET_TABLE_|__stack_chk_.*' ||
		:)
	[ -z "$needs" ] || fail "$1 needs $needs"
}

is_pure 'the installed archive' "$stage$prefix/$libdir/libfdlink-offload.a"
flags=$(pkg-config --cflags --libs fdlink-offload)
both=$(pkg-config --static --cflags --libs fdlink)
# shellcheck disable=SC2086 # lists of words
{
	cc -std=c17 $warnings "$round" -o one $flags
	c++ -std=c++17 $warnings -x c++ "$round" -x none -o plus $flags
	cc -std=c17 -static "$round" -o static $flags
	# A program may have both libraries, in either order.
	cc -std=c17 -Dmain=outside -c "$here/outside.c" $both
	for order in "$flags $both" "$both $flags"; do
		cc -std=c17 "$round" outside.o -o both -Wl,-Bstatic $order \
			-Wl,-Bdynamic
		same 'with libfdlink' ./both
	done
}
same pkg-config ./one
same 'in C++' ./plus
same 'a static program' ./static

quietly cmake -S "$here/offload" -B cmake -DCMAKE_PREFIX_PATH="$stage$prefix"
quietly cmake --build cmake
same CMake cmake/round

# From here on nothing is installed.
export PKG_CONFIG_LIBDIR=/nonexistent
unset PKG_CONFIG_SYSROOT_DIR
rm -rf "${stage:?}${prefix:?}/${libdir:?}"

# FOLDER NAME OPTION: as the subproject NAME of a program.
as_subproject() {
	rm -rf program
	mkdir -p program/subprojects
	cp "$round" program
	ln -s "$1" "program/subprojects/$2"
	cat >program/meson.build <<-END
		project('round', 'c', default_options: 'c_std=c17')
		executable('round', 'round.c',
		  dependencies: dependency('fdlink-offload', fallback: '$2',
		    default_options: [$3]))
	END
	quietly meson setup program/build program
	quietly meson compile -C program/build
	same "the subproject $1" program/build/round
}
as_subproject "$source" fdlink "'offload_only=true'"

quietly "$source/scripts/vendor-offload" "$tmp/vendored"
! "$source/scripts/vendor-offload" "$tmp/vendored" 2>err ||
	fail 'vendor-offload writes into a directory that has files'
grep -q 'not empty' err
for compiler in gcc clang; do
	command -v $compiler >/dev/null || continue
	quietly make -C vendored clean
	quietly make -C vendored CC=$compiler CFLAGS="-O2 -flto $warnings"
	is_pure "the directory's archive" vendored/libfdlink-offload.a
	$compiler -std=c17 -Ivendored/include "$round" \
		vendored/libfdlink-offload.a -o vendor
	same "the directory, by $compiler" ./vendor
done
quietly make -C vendored clean
as_subproject "$tmp/vendored" fdlink-offload ''
