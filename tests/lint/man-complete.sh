#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every function of the public headers has a manual page of its name, which
# names it: man-complete.sh INCLUDE-FOLDER MAN-FOLDER
set -eu
include=$1
man=$2
status=0

complain() {
	echo "$*"
	status=1
}

functions=$(for header in "$include"/fdlink/*.h; do
	echo "#include \"$header\""
done | cc -std=c17 -E -P -I"$include" - |
	grep -oE '\bfdl_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u)
[ -n "$functions" ] || complain "no function found in $include"

for name in $functions; do
	page=$man/$name.3
	if [ ! -f "$page" ]; then
		complain "$name has no page: write it, or a .so link, $page"
		continue
	fi
	link=$(sed -n 's,^\.so man3/,,p' "$page")
	[ -z "$link" ] || page=$man/$link
	grep -qx "\.Nm $name\( ,\)\?" "$page" 2>/dev/null ||
		complain "$page does not name $name"
done

for page in "$man"/*.3; do
	name=$(basename "$page" .3)
	echo "$functions" | grep -qx "$name" ||
		complain "$page is about no function of the headers"
done
exit $status
