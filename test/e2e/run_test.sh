#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `sekimori run` keeps both programs running: a killed brain or wire is there again within seconds, standing blocks and the mode with it; it ends cleanly, and at once
# when it was started wrongly.
#
#   attacker eth0 ──── outside [sekimori run: wire, brain] inside ──── eth0 dmz
#   class server :8000                                       nginx :80
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/lab_services.sh"
. "$here/sekimori.sh"
BACK_S=${BACK_S:-3}           # a brain
WIRE_BACK_S=${WIRE_BACK_S:-8} # a wire: DPDK alone takes two

run_start() { # run_start [OPTION...]
	lab_start run "$LAB_WIRE" "$SEKIMORI_BUILD/app/cli/sekimori" run --inside inside --outside outside --run-dir "$LAB/run" --state "$LAB/state" \
		--file-prefix "sekimori-$$" "$@"
}

ends_with() { # ends_with STATUS TEXT OPTION...: `run` ends by itself, with that status and words
	local status=0 want=$1 text=$2
	shift 2
	in_wire timeout -k 5 20 "$SEKIMORI_BUILD/app/cli/sekimori" run --run-dir "$LAB/run" --state "$LAB/state" --file-prefix "sekimori-$$" "$@" \
		> "$LAB/ends.log" 2>&1 || status=$?
	[ "$status" = "$want" ] && grep -m 1 -- "$text" "$LAB/ends.log"
}

knows_all_options() {
	local program option
	for program in wire brain; do
		for option in $("$SEKIMORI_BUILD/app/$program/sekimori-$program" --help 2>&1 | grep -oE '^  --[a-z-]+'); do
			case $option in --help) continue ;; esac
			"$SEKIMORI_BUILD/app/cli/sekimori" run --help | grep -qw -- "$option" || { echo "run --help: no $option"; return 1; }
			grep -q "\"$option\"" "$here/../../app/cli/run.c" || { echo "run: no $option"; return 1; }
		done
	done
}

pid_of() { # pid_of wire|brain
	cli status --json 2> /dev/null | python3 -c '
import json, sys
print(next(s["pid"] for s in json.load(sys.stdin)["status"] if s["process"] == "sekimori-" + sys.argv[1]))' "$1" 2> /dev/null
}

both_answer() {
	pid_of wire && pid_of brain
}

another_than() { # another_than PID wire|brain
	local now
	now=$(pid_of "$2") && [ -n "$now" ] && [ "$now" != "$1" ]
}

# killed wire|brain SECONDS: kill -9, and how long until there is another.
killed() {
	local pid since
	pid=$(pid_of "$1")
	since=$(date +%s%N)
	kill -9 "$pid"
	wait_for "$2" another_than "$pid" "$1"
	echo "  another $1 after $((($(date +%s%N) - since) / 1000000)) ms"
}

class_server_answers() {
	in_dmz curl -sS -o /dev/null --max-time 1 "http://$LAB_ATTACKER_ADDRESS:$LAB_CLASS_PORT/"
}

blocked() {
	client_get /1k -o /dev/null && ! class_server_answers 2> /dev/null
}

brain_sees_wire() {
	cli status --json | grep -q '"brain": *"yes"'
}

mode_is() { # mode_is MODE
	[ "$(cli mode show)" = "$1" ]
}

ends_cleanly() { # ends_cleanly SIGNAL WIRE BRAIN: neither process is left
	local status=0 pid=${LAB_PIDS[run]}
	kill -s "$1" "$pid"
	wait_for 8 lab_dead run
	wait "$pid" || status=$?
	unset "LAB_PIDS[run]"
	[ "$status" = 0 ] && ! kill -0 "$2" 2> /dev/null && ! kill -0 "$3" 2> /dev/null
}

lab_need curl ss python3
lab_begin wire
check "an unknown option is told" ends_with 2 'usage: sekimori run' --inside inside --outside outside --no-such-option
check "every option of both programs is known" knows_all_options
check "an option without its value is told" ends_with 2 'usage: sekimori run' --inside inside --outside
check "no ports: the wire tells what it needs" ends_with 1 'usage: sekimori-wire' --mode observe
check "a port that is not there ends it" ends_with 1 'no-such0' --inside no-such0 --outside outside
check "a mode that does not exist ends it" ends_with 1 '"watch" is no mode' --inside inside --outside outside --mode watch
cp -r "$here/../../policy" "$LAB/policy"
sed -i 's/^never_block: .*/never_block: [203.0.113.53]/' "$LAB/policy/network.yaml"
cp -r "$LAB/policy" "$LAB/broken"
echo 'never_block: 7' > "$LAB/broken/network.yaml"
check "a policy that is wrong ends it" ends_with 1 'network.yaml:1:' --inside inside --outside outside --policy "$LAB/broken"
run_start --mode enforce --policy "$LAB/policy"
check "wire and brain start" wait_for 20 both_answer
check "the wire has the never-block list too" grep -qz '^203.0.113.53/32' "/proc/$(pid_of wire)/cmdline"
wait_for 10 lab_reachable
nginx_start
class_server_start
check "the way is open" class_server_answers
cli block add "$LAB_ATTACKER_ADDRESS" --port "$LAB_CLASS_PORT" --for 10m --reason test > /dev/null
check "a block is in force" wait_for 2 blocked
check "the brain is killed: another within $BACK_S s" killed brain "$BACK_S"
check "the block stands" blocked
check "the wire has its brain" wait_for 2 brain_sees_wire
cli mode set advise > /dev/null
killed brain "$BACK_S"
check "the mode a person has set outlives the brain" wait_for 2 mode_is advise
cli mode set enforce --yes > /dev/null
check "the wire is killed: another within $WIRE_BACK_S s" killed wire "$WIRE_BACK_S"
check "it has a brain again" wait_for 5 brain_sees_wire
check "the block is in force again" wait_for 2 blocked
cli block list
check "SIGTERM ends everything" ends_cleanly TERM "$(pid_of wire)" "$(pid_of brain)"
check "no socket is left" test ! -e "$LAB/run/wire.sock" -a ! -e "$LAB/run/brain.sock"
run_start
check "it starts again, in the mode it had" wait_for 20 mode_is enforce
check "and the block is there" wait_for 5 blocked
wire=$(pid_of wire) brain=$(pid_of brain)
kill -STOP "$brain"
check "a brain that hangs does not keep it from ending" ends_cleanly INT "$wire" "$brain"
