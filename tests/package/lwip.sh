#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Programs outside the tree build lwIP and the adaptor's installed sources, with
# options of their own, and are pinged; and what options must not be is said:
# lwip.sh BUILD PREFIX LIBDIR LWIP SOURCE...
set -eu
build=$1
prefix=$2
libdir=$3
lwip=$4
shift 4
sources=$*
here=$(cd "$(dirname "$0")" && pwd)/lwip

if ! command -v pkg-config >/dev/null; then
	echo "pkg-config is missing: make deps installs it"
	exit 77
fi

# shellcheck source=staged.sh
. "$(dirname "$0")/staged.sh"
flags=$(pkg-config --cflags --libs fdlink)
# pkgconf knows the sysroot of variables, the older pkg-config does not.
adaptor=$(pkg-config --variable=lwipdir fdlink)
[ -d "$adaptor" ] || adaptor=$stage$adaptor
[ -f "$adaptor/fdl_lwip.h" ] || {
	echo "$adaptor has no adaptor"
	exit 1
}
warnings='-Wall -Wextra -Wshadow -Wstrict-prototypes -Werror'

# lwIP's own files, without those that FILES of the adaptor replace.
# lwip_files
lwip_files() {
	ls "$lwip"/src/core/*.c "$lwip"/src/core/ipv4/*.c \
		"$lwip"/src/core/ipv6/*.c "$lwip/src/netif/ethernet.c"
}

# The files that only segmentation offload needs.
is_tso() {
	case $1 in
	*/fdl_lwip_tso.c | */fdl_lwip_segment.c | */fdl_lwip_recovery.c | \
		*/fdl_lwip_tcp_out.c) return 0 ;;
	esac
	return 1
}

# PROGRAM TSO LWIP-FILES OPTION...: and run it.
build_and_run() {
	program=$1
	tso=$2
	files=$3
	shift 3
	mkdir "$tmp/$program"
	cd "$tmp/$program"
	# shellcheck disable=SC2086 # lists of words
	cc -c -w -I"$here" "$@" -I"$adaptor" -I"$lwip/src/include" \
		$flags $files
	for file in "$adaptor"/fdl_lwip*.c; do
		! is_tso "$file" || [ "$tso" = 1 ] || continue
		strict=$warnings
		case $file in */fdl_lwip_tcp_out.c) strict=-w ;; esac
		# shellcheck disable=SC2086
		cc -std=gnu17 -c $strict -I"$here" "$@" -I"$adaptor" \
			-isystem "$lwip/src/include" $flags "$file"
	done
	# shellcheck disable=SC2086
	cc -std=gnu17 $warnings -I"$here" "$@" -DWITH_TSO="$tso" \
		-I"$adaptor" -isystem "$lwip/src/include" $sources \
		./*.o -o ping $flags -pthread
	[ "$(timeout 60 ./ping)" = pinged ] || {
		echo "$program was not pinged"
		exit 1
	}
	# The two headers of sockets, the other way round.
	# shellcheck disable=SC2086
	cc -std=gnu17 $warnings -I"$here" "$@" -DWITH_TSO="$tso" \
		-DSOCKETS_FIRST=1 -I"$adaptor" -isystem "$lwip/src/include" \
		-fsyntax-only $sources $flags
}

build_and_run alone 0 "$(lwip_files)" -DNO_SYS=1 -I"$here/alone"
if [ -f "$lwip/port/sys_arch.c" ]; then
	build_and_run threads 1 "$(lwip_files | grep -v /tcp_out.c)
		$lwip/src/api/tcpip.c $lwip/src/api/err.c
		$lwip/src/api/api_lib.c $lwip/src/api/api_msg.c
		$lwip/src/api/netbuf.c $lwip/port/sys_arch.c" -DNO_SYS=0 -I"$lwip/port/include"
fi

# WORDS FILE OPTION...: the compiler says them.
refuse() {
	words=$1
	file=$2
	shift 2
	# shellcheck disable=SC2086
	if cc -std=gnu17 -I"$here" "$@" -I"$here/alone" -I"$adaptor" \
		-isystem "$lwip/src/include" $flags -fsyntax-only \
		"$adaptor/$file" 2>"$tmp/err"; then
		echo "$file compiles with $*"
		exit 1
	fi
	grep -q "error.*$words" "$tmp/err" || {
		echo "$file with $* says nothing of $words:"
		cat "$tmp/err"
		exit 1
	}
}

refuse LWIP_SUPPORT_CUSTOM_PBUF fdl_lwip.c -DLWIP_SUPPORT_CUSTOM_PBUF=0
refuse ETH_PAD_SIZE fdl_lwip.c -DETH_PAD_SIZE=2
refuse SYS_LIGHTWEIGHT_PROT fdl_lwip.c -DSYS_LIGHTWEIGHT_PROT=0 -DNO_SYS=0 \
	-I"$lwip/port/include"
refuse LWIP_WND_SCALE fdl_lwip.c -DLWIP_WND_SCALE=0
refuse MEMP_NUM_SYS_TIMEOUT fdl_lwip.c -DMEMP_MEM_MALLOC=0
refuse LWIP_HOOK_TCP_INPACKET_PCB fdl_lwip_tso.c -DWITHOUT_HOOK
if [ "$(getconf LONG_BIT)" = 64 ]; then
	refuse IPV6_FRAG_COPYHEADER fdl_lwip.c -DIPV6_FRAG_COPYHEADER=0
fi
