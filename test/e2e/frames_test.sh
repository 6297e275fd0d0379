#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What leaves is what came, byte by byte, both ways, for every kind of frame (fault 33), under a brain that enforces; what is dropped is counted by name and the
# counters reconcile; frames that would not fit are refused at the start. Over af_packet and over af_xdp.
#
#   attacker eth0 ──── outside [sekimori-wire] inside ──── eth0 dmz
#
# 802.1ad (0x88a8) is tested with af_xdp only: DPDK's af_packet makes an outer 0x88a8 an 0x8100.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/lab_services.sh"
. "$here/sekimori.sh"

frames() { # frames SET...
	python3 "$here/frames.py" "$LAB_ATTACKER" "$LAB_DMZ" "$@"
}

# Ports count what arrives before they are read: a moment may pass until both sides agree.
counters_reconcile() {
	cli counters --json | python3 -c '
import json, sys
c = {c["counter"]: c["value"] for c in json.load(sys.stdin)["counters"]}
out = c["frames_out"] + sum(v for k, v in c.items() if k.startswith("frames_dropped_"))
print("  %d in = %d out + %s" % (c["frames_in"], c["frames_out"],
	" + ".join("%d %s" % (v, k) for k, v in c.items() if k.startswith("frames_dropped_") and v) or "nothing dropped"))
sys.exit(c["frames_in"] != out)'
}

dropped_by_name() { # dropped_by_name CHECKSUM TRUNCATED
	test "$(wire_counter frames_dropped_checksum) $(wire_counter frames_dropped_truncated)" = "$1 $2"
}

all_forwarded() {
	test "$(wire_counter frames_in)" = "$(wire_counter frames_out)"
}

stop_both() {
	lab_stop brain
	lab_stop wire
}

transparent() { # transparent WHAT SET... -- WIRE-OPTION...
	local what=$1 sets=()
	shift
	while [ "$1" != -- ]; do
		sets+=("$1")
		shift
	done
	shift
	wire_start "$@"
	brain_start enforce
	wait_for 10 lab_reachable
	check "$what: frames arrive byte by byte, both ways" frames "${sets[@]}"
	check "$what: nothing was dropped" wait_for 3 all_forwarded
	check "$what: what no receiver would take does not arrive" frames wrong
	check "$what: and is counted by name" wait_for 3 dropped_by_name 10 4
	check "$what: counters reconcile" wait_for 3 counters_reconcile
	counters_reconcile
	stop_both
}

mtu() { # mtu BYTES: of the whole path
	ip -n "$LAB_ATTACKER" link set eth0 mtu "$1"
	ip -n "$LAB_DMZ" link set eth0 mtu "$1"
	ip -n "$LAB_WIRE" link set outside mtu "$1"
	ip -n "$LAB_WIRE" link set inside mtu "$1"
}

refused_with() { # refused_with TEXT OPTION...: the wire ends by itself and says so
	local text=$1
	shift
	mkdir -p "$LAB/run"
	! in_wire timeout 15 "$SEKIMORI_BUILD/app/wire/sekimori-wire" --inside inside --outside outside --run-dir "$LAB/run" --file-prefix "sekimori-$$" "$@" \
		> "$LAB/refused.log" 2>&1 && grep -m 1 "$text" "$LAB/refused.log"
}

file_arrives() {
	client_get "/$1" | cmp - "$LAB/nginx/files/$1"
}

page_over_six() {
	in_attacker curl -sS --fail --max-time 5 "http://[$LAB_DMZ_ADDRESS6]:$LAB_HTTP_PORT/" | grep -q 'an ordinary page'
}

# What forward_test asks of af_packet, on af_xdp.
files_over_xdp() {
	local file
	nginx_start
	wire_start --inside xdp:inside --outside xdp:outside
	brain_start enforce
	for file in 1k 64k 1m 16m; do
		check "af_xdp: $file arrives whole with a brain that enforces" file_arrives "$file"
	done
	check "af_xdp: a page over IPv6" page_over_six
	check "af_xdp: nothing was dropped" wait_for 3 all_forwarded
	stop_both
}

xdp_starts() {
	wire_start --inside xdp:inside --outside xdp:outside 2> /dev/null && wait_for 10 lab_reachable 2> /dev/null
}

lab_need python3 ethtool ss curl cmp
lab_begin wire
transparent af_packet plain --
mtu 9000
check "an MTU that does not fit is refused at the start" refused_with 'MTU 9000 does not fit frames of 2048 bytes.*--frame-bytes 16384'
transparent "af_packet, MTU 9000" plain jumbo -- --frame-bytes 16384
mtu 1500
if xdp_starts; then
	lab_stop wire
	transparent af_xdp plain ad -- --inside xdp:inside --outside xdp:outside
	files_over_xdp
else
	echo "not tested: af_xdp does not start here: $(tail -n 1 "$LAB/wire.log")"
fi
