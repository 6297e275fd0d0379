# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The programs under test in the laboratory. To be sourced after lab.sh. SEKIMORI_BUILD names the build folder.

SEKIMORI_BUILD=${SEKIMORI_BUILD:-$(cd "$LAB_SOURCE/../.." && pwd)/build}
SEKIMORI_CLIENTS=24 # distinct outside clients: more than make an exposed server

WIRE_OPTIONS=${WIRE_OPTIONS:-} # more of them, for all wires of a script: WIRE_OPTIONS="--workers 2"

wire_start() { # wire_start [OPTION...]
	lab_need "$SEKIMORI_BUILD/app/wire/sekimori-wire"
	mkdir -p "$LAB/run"
	# shellcheck disable=SC2086
	lab_start wire "$LAB_WIRE" "$SEKIMORI_BUILD/app/wire/sekimori-wire" --inside inside --outside outside --run-dir "$LAB/run" \
		--file-prefix "sekimori-$$" $WIRE_OPTIONS "$@"
	wait_for 20 test -S "$LAB/run/wire.sock"
}

brain_start() { # brain_start MODE [OPTION...]
	local mode=$1
	shift
	lab_start brain "$LAB_WIRE" "$SEKIMORI_BUILD/app/brain/sekimori-brain" --run-dir "$LAB/run" --state "$LAB/state" --mode "$mode" \
		--eve "$LAB/eve.json" "$@"
	wait_for 20 brain_answers
}

cli() { # cli NOUN...
	"$SEKIMORI_BUILD/app/cli/sekimori" "$@" --run-dir "$LAB/run"
}

brain_answers() {
	cli mode show
}

# One field of one process' status: wire_status frames. Plain numbers, from the JSON.
wire_counter() {
	cli counters --json | python3 -c 'import json,sys; print(next(c["value"] for c in json.load(sys.stdin)["counters"] if c["counter"] == sys.argv[1]))' "$1"
}

alert_policies() {
	cli alert list --json 2> /dev/null | python3 -c 'import json,sys; print("\n".join(a["policy"] for a in json.load(sys.stdin)["alerts"]))' || true
}

# An ordinary day: two dozen clients fetch pages from nginx.
ordinary_traffic() {
	local i
	for i in $(seq 1 $SEKIMORI_CLIENTS); do
		in_attacker curl -sS --fail --max-time 5 -o /dev/null --interface "198.51.100.$((100 + i))" "http://$LAB_DMZ_ADDRESS:$LAB_HTTP_PORT/1k"
	done
}

ordinary_clients() {
	local i
	for i in $(seq 1 $SEKIMORI_CLIENTS); do
		ip -n "$LAB_ATTACKER" address add "198.51.100.$((100 + i))/24" dev eth0
	done
}

# Learns five days of ordinary traffic: recorded once, its times moved back day by day.
teach() {
	local day
	lab_need tcpdump editcap
	lab_start tcpdump "$LAB_DMZ" tcpdump --immediate-mode -U -i eth0 -w "$LAB/ordinary.pcap" tcp
	wait_for 10 grep -q 'listening on' "$LAB/tcpdump.log"
	ordinary_traffic
	sleep 0.5
	lab_stop tcpdump
	for day in 5 4 3 2 1; do
		editcap -t $((day * -86400)) "$LAB/ordinary.pcap" "$LAB/day.pcap"
		"$SEKIMORI_BUILD/app/cli/sekimori" replay --quiet --mode learn --inside "$LAB_DMZ_ADDRESS/32" --state "$LAB/state" "$LAB/day.pcap" \
			>> "$LAB/teach.log"
	done
}

# What one wants to see when a check fails and the laboratory is about to go.
explain_failure() {
	tail -n 5 "$LAB"/*.log
	cli status
	cli alert list
	cli block list
	cli counters | awk '$2 != 0'
	cp "$LAB/dmz.pcap" "$LAB/eve.json" "${FAILED_TO:-/tmp}/" 2> /dev/null
}

check() { # check TEXT COMMAND...
	local text=$1
	shift
	if "$@"; then
		echo "ok - $text"
	else
		echo "not ok - $text"
		explain_failure >&2 || true
		exit 1
	fi
}
