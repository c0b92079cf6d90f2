#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Examples are read at one glance: examples-short.sh FOLDER
for file in "$1"/*.c; do
	lines=$(wc -l <"$file")
	if [ "$lines" -ge 80 ]; then
		echo "$file has $lines lines; an example has fewer than 80"
		exit 1
	fi
done
