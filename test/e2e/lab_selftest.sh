#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves the laboratory without the wire: frames pass, files arrive whole, and the attack works. A test that shows the
# wire stopping it means nothing unless this one passes. With the folder of seqgen and seqsink it proves these too.
# usage: lab_selftest.sh [direct|bridge] [FOLDER]
#
#   attacker eth0 ──────────────── eth0 dmz          (direct)
#   attacker eth0 ──── bridge ──── eth0 dmz          (bridge)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/lab_services.sh"

check() { # check TEXT COMMAND...
	local text=$1
	shift
	if "$@"; then
		echo "ok - $text"
	else
		echo "not ok - $text"
		tail -n 5 "$LAB"/*.log >&2 || true
		exit 1
	fi
}

offloads_are_off() {
	! in_dmz ethtool -k eth0 | grep -E '^(rx-checksumming|tx-checksumming|tcp-segmentation-offload|generic-.*-offload): on'
}

file_arrives() { # file_arrives NAME
	client_get "/$1" | cmp - "$LAB/nginx/files/$1"
}

page_over_six() {
	in_attacker curl -sS --fail --max-time 5 "http://[$LAB_DMZ_ADDRESS6]:$LAB_HTTP_PORT/" | grep -q 'an ordinary page'
}

class_was_fetched() {
	grep -q '"GET /Payload.class HTTP/1.1" 200' "$LAB/classes.log"
}

harmless_lookup() {
	lookup_attack "ldap://$LAB_ATTACKER_ADDRESS:$LAB_LDAP_PORT/cn=harmless,dc=lab,dc=example" | grep -q '^found ' &&
		! marker_exists
}

numbered_frames_all_arrive() { # numbered_frames_all_arrive FOLDER
	seq_start "$1" 20000
	seq_finish && [ "${SEQ[received]}" = 20000 ] && [ "${SEQ[sink_drops]}" = 0 ]
}

# One by one at their time: those in the middle are timed, none before it was due, and they come at the rate asked for (roughly: others run here too).
evenly_spaced_frames_are_timed() { # evenly_spaced_frames_are_timed FOLDER
	lab_start seqsink "$LAB_DMZ" "$1/seqsink" --interface eth0 --expect 4000 --skip 500 --limit-ms 20000
	wait_for 5 grep -q ready "$LAB/seqsink.log"
	in_attacker "$1/seqgen" --interface eth0 --count 4000 --rate 20000 --spin > "$LAB/seqgen.log"
	SEQ=([seconds]=10)
	seq_finish && [ "${SEQ[timed]}" = 3000 ] && [ "${SEQ[timed_lost]}" = 0 ] && [ "${SEQ[timed_rate]}" -gt 10000 ] &&
		[ "${SEQ[timed_rate]}" -lt 30000 ] && awk "BEGIN { exit !(${SEQ[due_p50_us]} >= ${SEQ[latency_p50_us]}) }"
}

a_share_of_a_core_is_taken() { # a_share_of_a_core_is_taken FOLDER
	awk -F= '{ exit !($1 == "share" && $2 > 0.2 && $2 < 0.8) }' < <("$1/taker" 500 1000 300 2> /dev/null)
}

# The link goes down in the middle: the sink must see exactly one gap and call it lost.
a_gap_is_seen() { # a_gap_is_seen FOLDER
	seq_start "$1" 20000
	sleep 0.3
	ip -n "$LAB_WIRE" link set inside nomaster
	sleep 0.2
	ip -n "$LAB_WIRE" link set inside master bridge0
	! seq_finish && [ "${SEQ[lost]}" -gt 1000 ] && [ "${SEQ[latency_p99_us]}" = inf ] && [ "${SEQ[longest_gap]}" = "${SEQ[lost]}" ] &&
		[ $((SEQ[received] + SEQ[lost])) = 20000 ]
}

lab_need curl cmp ss
lab_begin "${1:-direct}"
check "both families reach the other end" wait_for 5 lab_reachable
check "no offload is left at the ends" offloads_are_off
nginx_start
for file in 1k 64k 1m 16m; do
	check "$file arrives whole" file_arrives "$file"
done
check "a page over IPv6" page_over_six
attack_services_start
check "a lookup of an ordinary entry loads nothing" harmless_lookup
check "the lookup ends" lookup_attack
check "the class was fetched" class_was_fetched
check "the class was loaded: the marker is there" wait_for 5 marker_exists
lab_stop slapd
check "what was stopped is gone" lab_dead slapd
if [ -n "${2:-}" ]; then
	check "numbered frames all arrive" numbered_frames_all_arrive "$2"
	check "evenly spaced frames are timed" evenly_spaced_frames_are_timed "$2"
	check "a share of a core is taken" a_share_of_a_core_is_taken "$2"
	[ "${1:-direct}" = direct ] || check "a gap is seen" a_gap_is_seen "$2"
fi
