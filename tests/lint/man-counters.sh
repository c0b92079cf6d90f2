#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual pages list the counters of struct fdl_stats, all of them and no
# other: man-counters.sh INCLUDE-FOLDER MAN-FOLDER
set -eu
include=$1
man=$2
status=0

complain() {
	echo "$*"
	status=1
}

# One word a line, in one line.
list() {
	echo "$@" | tr '\n' ' '
}

fields=$(sed -n 's/^\tuint64_t \([a-z_]*\);.*/\1/p' "$include/fdlink/stats.h")
[ -n "$fields" ] || complain "no counter found in $include/fdlink/stats.h"

# fdl_get_stats(3): in their order; two may share an item, as "a , b".
page=$man/fdl_get_stats.3
items=$(sed -n '/^\.Bl/,/^\.El/s/^\.It Fa //p' "$page" | sed 's/ , /\n/g')
[ "$(list "$items")" = "$(list "$fields")" ] ||
	complain "$page lists $(list "$items"), and should $(list "$fields")"

# fdlink(7): one column for each direction.
page=$man/fdlink.7
for way in rx tx; do
	want=$(echo "$fields" | grep "^${way}_")
	have=$(sed -n '/^\.It rx_/s/^\.It \(.*\)/\1/p' "$page" |
		sed 's/ Ta */\n/g' | grep "^${way}_")
	[ "$(list "$have")" = "$(list "$want")" ] ||
		complain "$page lists $(list "$have"), and should" \
			"$(list "$want")"
done
exit $status
