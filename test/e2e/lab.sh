# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# A laboratory for one test: three network namespaces, real programs, and nothing left behind. To be sourced.
#
#   attacker-PID            wire-PID                     dmz-PID
#   eth0 ───────────── outside   inside ───────────────── eth0
#   198.51.100.200 attacker                    198.51.100.10 server
#   198.51.100.201 ordinary client             2001:db8:5::10
#   2001:db8:5::200, ::201
#
# One subnet, because what stands in the middle is a bump in the wire:
#   direct   nothing: one veth pair joins the ends
#   bridge   the kernel's bridge
#   wire     two interfaces for the test to start sekimori-wire on (lab_start wire "$LAB_WIRE" ...)
#
# Usage: set -euo pipefail; . lab.sh; lab_begin direct; nginx_start; ...   Everything ends by a trap. KEEP=1 keeps it.
# All names this file gives to others: LAB (folder), LAB_ATTACKER, LAB_WIRE, LAB_DMZ (namespaces) and LAB_* addresses.

LAB_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_DMZ_ADDRESS=198.51.100.10
LAB_ATTACKER_ADDRESS=198.51.100.200
LAB_CLIENT_ADDRESS=198.51.100.201
LAB_DMZ_ADDRESS6=2001:db8:5::10
LAB_ATTACKER_ADDRESS6=2001:db8:5::200
LAB_CLIENT_ADDRESS6=2001:db8:5::201
LAB_HTTP_PORT=80      # nginx in the DMZ
LAB_LOOKUP_PORT=8080  # the vulnerable program in the DMZ
LAB_LDAP_PORT=1389    # slapd of the attacker
LAB_CLASS_PORT=8000   # class server of the attacker
LAB_ENTRY='cn=payload,dc=lab,dc=example'
LAB_URL="ldap://$LAB_ATTACKER_ADDRESS:$LAB_LDAP_PORT/$LAB_ENTRY"

LAB='' LAB_ATTACKER='' LAB_WIRE='' LAB_DMZ=''
declare -A LAB_PIDS=()

# Exit status 77 tells meson that the test could not run here.
lab_skip() {
	echo "skipped: $*" >&2
	exit 77
}

lab_need() { # lab_need PROGRAM...
	local program
	[ "$(id -u)" = 0 ] || lab_skip "needs root for network namespaces"
	for program in "$@"; do
		command -v "$program" > /dev/null || lab_skip "needs $program"
	done
}

# wait_for LIMIT_SECONDS COMMAND...: until it succeeds. Fails, and says what it waited for, when the limit has passed.
wait_for() {
	local limit=$1 end
	shift
	end=$(($(date +%s%N) + limit * 1000000000))
	until "$@" > /dev/null 2>&1; do
		if [ "$(date +%s%N)" -ge "$end" ]; then
			echo "waited ${limit}s in vain for: $*" >&2
			return 1
		fi
		sleep 0.05
	done
}

in_attacker() { ip netns exec "$LAB_ATTACKER" "$@"; }
in_wire() { ip netns exec "$LAB_WIRE" "$@"; }
in_dmz() { ip netns exec "$LAB_DMZ" "$@"; }

# ---- processes

# lab_start NAME NAMESPACE COMMAND...: in the background, output in $LAB/NAME.log, its pid in LAB_PIDS[NAME].
lab_start() {
	local name=$1 namespace=$2
	shift 2
	ip netns exec "$namespace" "$@" > "$LAB/$name.log" 2>&1 < /dev/null &
	LAB_PIDS[$name]=$!
}

lab_alive() { # lab_alive NAME
	[ -n "${LAB_PIDS[$1]:-}" ] && kill -0 "${LAB_PIDS[$1]}" 2> /dev/null
}

lab_dead() {
	! lab_alive "$1"
}

# lab_stop NAME [SIGNAL]: asks, waits at most 5 s, then insists. Only ever a process lab_start has begun.
lab_stop() {
	local name=$1 pid=${LAB_PIDS[$1]:-}
	[ -n "$pid" ] || return 0
	kill -s "${2:-TERM}" "$pid" 2> /dev/null || true
	kill -s CONT "$pid" 2> /dev/null || true
	wait_for 5 lab_dead "$name" 2> /dev/null || kill -s KILL "$pid" 2> /dev/null || true
	wait "$pid" 2> /dev/null || true
	unset "LAB_PIDS[$name]"
}

# lab_capture NAME NAMESPACE INTERFACE: all its frames in $LAB/NAME.pcap until lab_stop NAME INT.
lab_capture() {
	lab_need tcpdump
	lab_start "$1" "$2" tcpdump -Z root -n -i "$3" -U --immediate-mode -w "$LAB/$1.pcap"
	wait_for 5 grep -q 'listening on' "$LAB/$1.log"
}

# ---- namespaces

lab_end() {
	local status=$? name namespace
	trap - EXIT INT TERM
	if [ -n "${KEEP:-}" ]; then
		echo "kept: $LAB, namespaces $LAB_ATTACKER $LAB_WIRE $LAB_DMZ, pids ${LAB_PIDS[*]}" >&2
		exit "$status"
	fi
	for name in "${!LAB_PIDS[@]}"; do
		lab_stop "$name"
	done
	for namespace in "$LAB_ATTACKER" "$LAB_WIRE" "$LAB_DMZ"; do
		[ -z "$namespace" ] || ip netns del "$namespace" 2> /dev/null || true
	done
	[ -z "$LAB" ] || rm -rf "$LAB"
	exit "$status"
}

# A wire sees frames as they are on a wire: no checksums left to hardware, no segments larger than the MTU.
lab_offloads_off() { # lab_offloads_off NAMESPACE INTERFACE
	ip netns exec "$1" ethtool -K "$2" rx off tx off sg off tso off gso off gro off > /dev/null
}

lab_link() { # lab_link NAMESPACE INTERFACE NAMESPACE INTERFACE
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	lab_offloads_off "$1" "$2"
	lab_offloads_off "$3" "$4"
}

lab_host() { # lab_host NAMESPACE ADDRESS...: an end with its addresses, usable at once
	local namespace=$1 address
	shift
	ip -n "$namespace" link set lo up
	ip netns exec "$namespace" sysctl -q net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.accept_ra=0
	ip -n "$namespace" link set eth0 up
	for address in "$@"; do
		ip -n "$namespace" address add "$address" dev eth0
	done
}

# A port of the bump: no address, says nothing of its own.
lab_port() { # lab_port INTERFACE
	in_wire sysctl -q "net.ipv6.conf.$1.disable_ipv6=1"
	ip -n "$LAB_WIRE" link set "$1" up promisc on
}

lab_middle() { # lab_middle direct|bridge|wire
	if [ "$1" = direct ]; then
		lab_link "$LAB_ATTACKER" eth0 "$LAB_DMZ" eth0
		return
	fi
	lab_link "$LAB_ATTACKER" eth0 "$LAB_WIRE" outside
	lab_link "$LAB_WIRE" inside "$LAB_DMZ" eth0
	ip -n "$LAB_WIRE" link set lo up
	lab_port outside
	lab_port inside
	[ "$1" = bridge ] || return 0
	ip -n "$LAB_WIRE" link add bridge0 type bridge mcast_snooping 0
	lab_port bridge0
	ip -n "$LAB_WIRE" link set outside master bridge0
	ip -n "$LAB_WIRE" link set inside master bridge0
}

lab_begin() { # lab_begin direct|bridge|wire
	local namespace
	lab_need ip ethtool
	ip netns add "sekimori-try-$$" 2> /dev/null || lab_skip "may not make network namespaces"
	ip netns del "sekimori-try-$$"
	trap lab_end EXIT INT TERM
	LAB=$(mktemp -d /tmp/sekimori-lab.XXXXXX)
	chmod 755 "$LAB"
	LAB_ATTACKER=sekimori-attacker-$$ LAB_WIRE=sekimori-wire-$$ LAB_DMZ=sekimori-dmz-$$
	for namespace in "$LAB_ATTACKER" "$LAB_WIRE" "$LAB_DMZ"; do
		ip netns add "$namespace"
	done
	lab_middle "$1"
	lab_host "$LAB_ATTACKER" "$LAB_ATTACKER_ADDRESS/24" "$LAB_CLIENT_ADDRESS/24" "$LAB_ATTACKER_ADDRESS6/64" \
		"$LAB_CLIENT_ADDRESS6/64"
	lab_host "$LAB_DMZ" "$LAB_DMZ_ADDRESS/24" "$LAB_DMZ_ADDRESS6/64"
}

# An end that refuses a connection is there: the question and the answer both came through.
lab_refuses() { # lab_refuses ADDRESS
	local said
	said=$(in_attacker timeout 1 bash -c ": < /dev/tcp/$1/9" 2>&1) || true
	[[ $said == *refused* ]]
}

lab_reachable() {
	lab_refuses "$LAB_DMZ_ADDRESS" && lab_refuses "$LAB_DMZ_ADDRESS6"
}

listens() { # listens NAMESPACE PORT
	[ -n "$(ip netns exec "$1" ss -Hltn "sport = :$2")" ]
}

# seq_start PROGRAMS COUNT [RATE]: COUNT numbered frames from outside to inside (seqgen, seqsink in that folder).
# seq_finish waits for both and puts the sink's counts into the array SEQ, as in ${SEQ[lost]}; it fails if a frame was
# lost, came twice or out of order.
declare -A SEQ=()
seq_start() {
	lab_start seqsink "$LAB_DMZ" "$1/seqsink" --interface eth0 --expect "$2" --limit-ms 600000
	wait_for 5 grep -q ready "$LAB/seqsink.log"
	lab_start seqgen "$LAB_ATTACKER" "$1/seqgen" --interface eth0 --count "$2" --rate "${3:-20000}"
	SEQ=([seconds]=$(($2 / ${3:-20000} + 10)))
}

seq_finish() {
	local name value status=0
	wait_for "${SEQ[seconds]}" lab_dead seqgen
	wait_for 10 lab_dead seqsink || lab_stop seqsink
	wait "${LAB_PIDS[seqsink]:-}" || status=1
	while IFS='=' read -r name value; do
		[ -z "$value" ] || SEQ[$name]=$value
	done < "$LAB/seqsink.log"
	unset 'LAB_PIDS[seqsink]' 'LAB_PIDS[seqgen]'
	return "$status"
}

# An ordinary client outside. client_get URL-PATH [CURL-OPTION...]: the body to standard output.
client_get() {
	local path=$1
	shift
	in_attacker curl -sS --fail --max-time 20 --interface "$LAB_CLIENT_ADDRESS" "$@" \
		"http://$LAB_DMZ_ADDRESS:$LAB_HTTP_PORT$path"
}
