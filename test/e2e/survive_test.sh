#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The wire never dies for anybody: at 20 000 numbered frames a second the brain is killed, stopped and restarted; no frame is lost or doubled. A block of 5 s ends on
# time with the brain dead; nft shows its timeout; add, extend, lift and panic act within 100 ms.
# usage: survive_test.sh [FOLDER OF seqgen AND seqsink]
#
#   attacker eth0 ── 20 kpps ──▸ outside [sekimori-wire] inside ──▸ eth0 dmz
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/lab_services.sh"
. "$here/sekimori.sh"
SEQ_FOLDER=${1:-$SEKIMORI_BUILD/test/e2e}
SEQ_FRAMES=${SEQ_FRAMES:-200000}
ACT_MS=${ACT_MS:-100}

now() {
	date +%s.%N
}

abuse_the_brain() {
	sleep 1
	kill -9 "${LAB_PIDS[brain]}"
	sleep 1
	lab_stop brain KILL
	brain_start enforce
	kill -STOP "${LAB_PIDS[brain]}"
	sleep 2
	kill -CONT "${LAB_PIDS[brain]}"
	sleep 0.5
	lab_stop brain KILL
	brain_start enforce
}

no_frame_suffers() {
	seq_start "$SEQ_FOLDER" "$SEQ_FRAMES"
	abuse_the_brain
	seq_finish || { cat "$LAB/seqsink.log"; return 1; }
	echo "  sent $SEQ_FRAMES, received ${SEQ[received]}, lost ${SEQ[lost]}, doubled ${SEQ[duplicates]:-0}"
}

probe_start() { # probe_start SECONDS
	lab_start probe "$LAB_DMZ" python3 -u "$here/probe.py" "$LAB_ATTACKER_ADDRESS" "$LAB_CLASS_PORT" "$1"
	wait_for 5 test -s "$LAB/probe.log"
}

last_change() { # last_change open|refused
	awk -v s="$1" '$2 == s { t = $1 } END { print t }' "$LAB/probe.log"
}

elapsed_ms() { # elapsed_ms FROM TO
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%d", (b - a) * 1000 }'
}

acted_within() { # acted_within WHAT SINCE STATE
	local ms
	wait_for 2 grep_last "$3"
	ms=$(elapsed_ms "$2" "$(last_change "$3")")
	echo "  $1: $ms ms"
	[ "$ms" -le "$ACT_MS" ]
}

grep_last() {
	[ "$(tail -n 1 "$LAB/probe.log" | cut -d' ' -f2)" = "$1" ]
}

block_id() {
	cli block list --json | python3 -c 'import json,sys; print(max(b["id"] for b in json.load(sys.stdin)["blocks"] if b["state"] == "active"))'
}

block_ends_with_the_brain_dead() {
	local since ms
	probe_start 8
	since=$(now)
	cli block add "$LAB_ATTACKER_ADDRESS" --port "$LAB_CLASS_PORT" --for 5s --reason test > /dev/null
	lab_stop brain KILL
	wait_for 2 grep_last refused
	wait_for 7 grep_last open
	ms=$(elapsed_ms "$since" "$(last_change open)")
	echo "  a block of 5 s ended after $ms ms"
	lab_stop probe
	brain_start enforce --fence
	[ "$ms" -ge 4950 ] && [ "$ms" -le 5300 ]
}

nft_shows_timeout() {
	ip netns exec "$LAB_WIRE" nft list table inet sekimori > "$LAB/nft.txt"
	grep "$LAB_ATTACKER_ADDRESS . tcp . $LAB_CLASS_PORT .*timeout.*expires" "$LAB/nft.txt"
}

orders_act_at_once() {
	local since id
	probe_start 12
	since=$(now)
	cli block add "$LAB_ATTACKER_ADDRESS" --port "$LAB_CLASS_PORT" --for 2s --reason test > /dev/null
	acted_within "block add" "$since" refused
	id=$(block_id)
	cli block extend "$id" --by 1h > /dev/null
	sleep 2.2
	grep_last refused || { echo "extend did not act"; return 1; }
	nft_shows_timeout
	since=$(now)
	cli panic > /dev/null
	acted_within panic "$since" open
	cli panic off > /dev/null
	cli mode set enforce --yes > /dev/null
	wait_for 2 grep_last refused
	since=$(now)
	cli block lift "$id" --reason "test ends" > /dev/null
	acted_within "block lift" "$since" open
	lab_stop probe
}

fence_holds_attacker() { # through a file: a grep that ends early would fail the pipe
	ip netns exec "$LAB_WIRE" nft list table inet sekimori > "$LAB/nft.txt" && grep -q "$LAB_ATTACKER_ADDRESS . tcp" "$LAB/nft.txt"
}

fence_is_empty() { ! fence_holds_attacker; }

# It reaches the wire alone; what the brain has fenced in the kernel goes, too.
panic_works_without_sockets() {
	cli block add "$LAB_ATTACKER_ADDRESS" --port "$LAB_CLASS_PORT" --for 1h --reason test > /dev/null
	wait_for 2 fence_holds_attacker || { echo "nothing was fenced"; return 1; }
	kill -USR1 "${LAB_PIDS[wire]}"
	wait_for 2 sh -c "'$SEKIMORI_BUILD/app/cli/sekimori' status --run-dir '$LAB/run' | grep -q PANIC"
	wait_for 2 fence_is_empty || { echo "the fence stands"; return 1; }
	cli mode show > "$LAB/mode.txt"
	grep -q observe "$LAB/mode.txt" || { echo "the mode stands"; return 1; }
	kill -USR1 "${LAB_PIDS[wire]}"
}

lab_need python3 nft ss
lab_begin wire
wire_start
wait_for 10 lab_reachable
class_server_start
brain_start enforce --fence
check "20 kpps: brain killed, stopped, restarted: no frame lost or doubled" no_frame_suffers
check "a block ends on time with the brain dead" block_ends_with_the_brain_dead
check "add, extend, panic and lift act at once" orders_act_at_once
check "panic by signal" panic_works_without_sockets
