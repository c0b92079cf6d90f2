#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Examples are read at one glance: examples-short.sh FOLDER
for file in "$1"/*.c; do
	lines=$(wc -l <"$file")
	limit=80
	# A whole one, which outlives what happens to its peer.
	[ "$file" != "$1/vpn.c" ] || limit=260
	if [ "$lines" -ge $limit ]; then
		echo "$file has $lines lines; an example has fewer than $limit"
		exit 1
	fi
done
