#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# completion.sh SCRIPT: what bash completes a command line to. The kinds and
# options that it knows are locator_documents.py's.
set -eu
# shellcheck disable=SC1090,SC1091 # it is a test of that file alone
. "$1"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
mkdir "$folder/sub"
touch "$folder/socket"
# Only a shell that completes has it.
compopt() { :; }

# LINE WORD...: a line as it was typed, with the words that it is completed to.
expect() {
	local parts part

	COMP_LINE=$1
	COMP_POINT=${#1}
	# bash cuts a line at blanks, and puts ':' and '=' apart.
	mapfile -t parts < <(sed 's/[:=]/\n&\n/g; s/  */\n/g' <<<"$1")
	COMP_WORDS=()
	for part in "${parts[@]}"; do
		[ -z "$part" ] || COMP_WORDS+=("$part")
	done
	case $1 in
	*' ') COMP_WORDS+=('') ;;
	esac
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_fdlink
	[ "${COMPREPLY[*]-}" = "${*:2}" ] || {
		echo "'$1' is completed to '${COMPREPLY[*]-}', not '${*:2}'"
		exit 1
	}
}

expect 'fdlink co' connect
expect 'fdlink connect ta' tap:
expect 'fdlink connect packet:l' lo
expect 'fdlink connect tap:a,o' a,offload=
expect 'fdlink connect tap:a,offload=o' on off
expect "fdlink connect stream:$folder/so" "$folder/socket"
expect "fdlink connect unixgram:/x,local=$folder/so" "$folder/socket"
expect 'fdlink connect tap:a tap:b --no' --no-sandbox
expect 'fdlink connect --user roo' root
expect 'fdlink connect --user=roo' root
expect "fdlink connect --control $folder/su" "$folder/sub"
expect "fdlink connect --control=$folder/su" "$folder/sub"
expect 'fdlink connect --delay=1'
expect 'fdlink host --offload t' tso
expect 'fdlink host --offload=t' tso
