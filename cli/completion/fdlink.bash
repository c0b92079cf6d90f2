# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Tab completion of the command, for bash.

_fdlink_devices() {
	local path

	for path in /sys/class/net/*; do
		echo "${path##*/}"
	done
}

# bash takes "tap:" and what follows for two words.
_fdlink_locator() {
	local kind=$1 name=$2

	case $kind in
	tap | tun | packet)
		mapfile -t COMPREPLY < <(compgen -W "$(_fdlink_devices)" \
			-- "$name") ;;
	seqpacket | unixgram)
		mapfile -t COMPREPLY < <(compgen -f -- "$name") ;;
	esac
}

_fdlink() {
	local cur=${COMP_WORDS[COMP_CWORD]}
	local prev=${COMP_WORDS[COMP_CWORD - 1]}
	local before=
	local words="tap: tun: packet: fd: seqpacket: unixgram: -h --help"

	COMPREPLY=()
	[ "$COMP_CWORD" -lt 3 ] || before=${COMP_WORDS[COMP_CWORD - 2]}
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"host info -h --help --version" -- "$cur")
		return
	fi
	if [ "$cur" = : ]; then
		_fdlink_locator "$prev" ""
		return
	elif [ "$prev" = : ]; then
		_fdlink_locator "$before" "$cur"
		return
	fi
	case $prev in
	--address | --gateway | --mac) return ;;
	--offload)
		mapfile -t COMPREPLY < <(compgen -W "on tso off" -- "$cur")
		return ;;
	esac
	case ${COMP_WORDS[1]} in
	host) words+=" --address --gateway --mac --ip --offload" ;;
	info) words+=" --json" ;;
	*) return ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	case ${COMPREPLY[0]-} in
	*:) compopt -o nospace ;;
	esac
}

complete -F _fdlink fdlink
