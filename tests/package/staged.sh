# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# For programs outside the tree: sourced with $build, $prefix and $libdir, it
# installs to $stage below $tmp, which goes at the end, and has pkg-config and
# the dynamic linker look there.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
stage=$tmp/stage
meson install -C "${build:?}" --no-rebuild --destdir "$stage" \
	>"$tmp/log" 2>&1 || {
	cat "$tmp/log"
	exit 1
}
export PKG_CONFIG_SYSROOT_DIR="$stage"
export PKG_CONFIG_LIBDIR="$stage${prefix:?}/${libdir:?}/pkgconfig"
export LD_LIBRARY_PATH="$stage$prefix/$libdir"
