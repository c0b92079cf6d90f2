# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Tab completion of the command, for bash. tests/unit/locator_documents.py
# compares the kinds and options here with the library's.

_fdlink_kinds="tap tun macvtap packet seqpacket stream unixgram udp null pair fd"

# The options that a locator of kind $1 takes, one a word; behind '=' the values,
# where these are few.
_fdlink_options() {
	case $1 in
	tap | tun) echo "mtu= netns= queues= offload=on|off|v1" \
		"carrier=on|off reconnect" ;;
	macvtap) echo "mtu= queues= offload=on|off|v1 reconnect" ;;
	packet) echo "mtu= netns= queues= promisc" \
		"fanout=hash|lb|cpu|rollover|rnd|qm rollover outgoing=on|off" \
		"rcvbuf= reconnect" ;;
	seqpacket | stream) echo "mtu= offload=on|off|v1" \
		"listen wait reconnect" ;;
	unixgram) echo "mtu= offload=on|off|v1" \
		"listen wait reconnect local= vfkit" ;;
	udp) echo "mtu= reconnect local=" ;;
	null | pair) echo "mtu= offload=on|off|v1" ;;
	fd) echo "mtu= listen reconnect" ;;
	esac
}

# The names that can follow "KIND:", of kind $1; $2 is the start of a path.
_fdlink_names() {
	local path

	case $1 in
	tap | tun | macvtap | packet)
		for path in /sys/class/net/*; do
			echo "${path##*/}"
		done ;;
	seqpacket | stream | unixgram) compgen -f -- "$2" ;;
	esac
}

# The values of option $1, of which $2 is the start, where the machine has them.
_fdlink_values() {
	local path

	case $1 in
	netns)
		for path in /run/netns/*; do
			[ ! -e "$path" ] || echo "netns=${path##*/}"
		done ;;
	local) compgen -P local= -f -- "$2" ;;
	esac
}

# What can stand where $2 does, the last option of a locator of kind $1.
_fdlink_option() {
	local option values

	for option in $(_fdlink_options "$1"); do
		case $2 in
		*=*)
			[ "${option%%=*}" = "${2%%=*}" ] || continue
			_fdlink_values "${2%%=*}" "${2#*=}"
			IFS='|' read -ra values <<<"${option#*=}"
			[ "${#values[@]}" = 0 ] ||
				printf '%s\n' "${values[@]/#/${2%%=*}=}" ;;
		*)
			case $option in
			*=*) echo "${option%%=*}=" ;;
			*) echo "$option" ;;
			esac ;;
		esac
	done
}

# Complete the locator $1. bash takes what follows a ':' or '=' for a word of its
# own, so that part alone is handed back.
_fdlink_locator() {
	local kind=${1%%:*} rest=${1#*:}
	local last=${rest##*,} name

	case $rest in
	*,*) mapfile -t COMPREPLY < <(_fdlink_option "$kind" "$last") ;;
	*) mapfile -t COMPREPLY < <(_fdlink_names "$kind" "$last") ;;
	esac
	mapfile -t COMPREPLY < <(for name in "${COMPREPLY[@]}"; do
		[[ $name != "$last"* ]] || echo "${1%"$last"}$name"
	done)
	name=${1##*[:=]}
	COMPREPLY=("${COMPREPLY[@]#"${1%"$name"}"}")
	case ${COMPREPLY[0]-} in
	*=) compopt -o nospace ;;
	esac
}

_fdlink() {
	local cur=${COMP_WORDS[COMP_CWORD]}
	local prev=${COMP_WORDS[COMP_CWORD - 1]}
	local typed=${COMP_LINE:0:COMP_POINT}
	local words="${_fdlink_kinds// /: }: -h --help"

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"connect host info -h --help --version" -- "$cur")
		return
	fi
	typed=${typed##* }
	# bash takes '--user=NAME' for three words.
	case $typed in
	--*=*)
		prev=${typed%%=*}
		cur=${typed#*=} ;;
	esac
	case " $_fdlink_kinds " in
	*" ${typed%%:*} "*)
		if [[ $typed == *:* ]]; then
			_fdlink_locator "$typed"
			return
		fi ;;
	esac
	case $prev in
	--address | --gateway) return ;;
	--mac)
		mapfile -t COMPREPLY < <(compgen -W "device" -- "$cur")
		return ;;
	--stats | --rate | --delay | --jitter | --loss) return ;;
	--reorder | --late | --duplicate | --seed) return ;;
	--control)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return ;;
	--offload)
		mapfile -t COMPREPLY < <(compgen -W "on tso off" -- "$cur")
		return ;;
	esac
	case ${COMP_WORDS[1]} in
	host) words+=" --address --gateway --mac --ip --offload" ;;
	info) words+=" --json" ;;
	connect)
		words+=" --stats --json --ip --rate --delay --jitter --loss"
		words+=" --reorder --late --duplicate --seed --control --user"
		words+=" --no-sandbox --mtu-signal" ;;
	*) return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	case ${COMPREPLY[0]-} in
	*:) compopt -o nospace ;;
	esac
}

complete -F _fdlink fdlink
