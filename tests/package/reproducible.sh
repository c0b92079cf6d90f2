#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Two builds, in two folders, are the same bytes. The compiler is told to leave
# the folder out, as those who package do: reproducible.sh SOURCE
set -eu
source=$1
git -C "$source" rev-parse >/dev/null 2>&1 || {
	echo 'this is no git checkout: which files are source is not known'
	exit 77
}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# A file of the source may name its own place: so there are two of that, too.
for n in first the-second; do
	mkdir "$tmp/$n"
	(cd "$source" && git ls-files -z | tar -c --null -T -) |
		tar -x -C "$tmp/$n"
	if ! (cd "$tmp/$n" &&
		CFLAGS="-ffile-prefix-map=$tmp/$n=." meson setup build \
			-Dlwip=disabled -Dtests=disabled \
			--prefix=/usr --buildtype=debugoptimized &&
		meson compile -C build &&
		DESTDIR="$tmp/$n.out" meson install -C build --no-rebuild
		) >"$tmp/log" 2>&1; then
		cat "$tmp/log"
		echo 'it does not build'
		exit 1
	fi
done
diff -r --no-dereference "$tmp/first.out" "$tmp/the-second.out"
