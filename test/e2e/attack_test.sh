#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Log4Shell with real parts, after ordinary traffic was learned. enforce: the class is never loaded and no byte of it reaches the DMZ, while a second client's
# transfers all succeed. observe: it loads, the same alerts are raised, and would-block is reported. ROUNDS=50 for the full count (default 2).
#
#   attacker eth0 ──── outside [sekimori-wire] inside ──── eth0 dmz
#   slapd :1389, class server :8000                         nginx :80, vulnerable program :8080
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/lab_services.sh"
. "$here/sekimori.sh"

transfers() { # until told to stop; a line for each failure
	while [ ! -e "$LAB/transfers.stop" ]; do
		client_get /64k | cmp - "$LAB/nginx/files/64k" || echo failed >> "$LAB/transfers.failed"
		echo done >> "$LAB/transfers.done"
	done
}

transfers_start() {
	rm -f "$LAB"/transfers.*
	transfers > "$LAB/transfers.log" 2>&1 &
	LAB_PIDS[transfers]=$!
}

transfers_stop() {
	touch "$LAB/transfers.stop"
	wait_for 30 lab_dead transfers
	unset "LAB_PIDS[transfers]"
	[ -s "$LAB/transfers.done" ] && [ ! -e "$LAB/transfers.failed" ]
}

no_class_byte_arrived() {
	! LC_ALL=C grep -qaP '\xca\xfe\xba\xbe' "$LAB/dmz.pcap"
}

attack_alerted() { # attack_alerted POLICY
	alert_policies | grep -qx "$1"
}

some_alert_says() { # some_alert_says RESPONSE
	cli alert list --json | grep -q "\"response\": *\"$1\""
}

# A policy folder with these policies alone: each chance to stop the attack is proven without the ones before it.
only_policies() { # only_policies NAME...
	python3 - "$LAB_SOURCE/../../policy" "$LAB/policy" "$@" <<-'END'
		import pathlib, shutil, sys
		source, folder, names = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
		shutil.rmtree(folder, ignore_errors=True)
		shutil.copytree(source, folder)
		for f in folder.glob("*.yaml"):
		    if f.name == "network.yaml":
		        continue
		    kept = [d for d in f.read_text().split("\n---\n") if any(f"policy: {n}\n" in d for n in names)]
		    if kept:
		        f.write_text("---\n" + "\n---\n".join(kept))
		    else:
		        f.unlink()
	END
}

round() { # round MODE [BRAIN-OPTION...]: a fresh box that knows the ordinary days
	local mode=$1
	shift
	rm -rf "$LAB/state" "$LAB/marker" "$LAB/dmz.pcap"
	cp -r "$LAB/taught" "$LAB/state"
	wire_start
	brain_start "$mode" --fence "$@"
	lab_start tcpdump "$LAB_DMZ" tcpdump --immediate-mode -U -i eth0 -w "$LAB/dmz.pcap" "host $LAB_ATTACKER_ADDRESS"
	wait_for 10 grep -q 'listening on' "$LAB/tcpdump.log"
	transfers_start
	lookup_attack > "$LAB/attack.out" 2>&1 || true
	sleep 0.3
	transfers_stop || { echo "not ok - $mode: ordinary transfers"; exit 1; }
	lab_stop tcpdump
}

round_end() {
	cli status --json >> "$LAB/statuses.json"
	lab_stop brain
	lab_stop wire
	ip netns exec "$LAB_WIRE" nft flush ruleset 2> /dev/null || true
}

enforce_round() {
	round enforce
	check "enforce $1: the class was not loaded" test ! -e "$LAB/marker"
	check "enforce $1: no byte of it reached the DMZ" no_class_byte_arrived
	check "enforce $1: an alert was raised" wait_for 2 attack_alerted jndi/attempt
	check "enforce $1: the attacker is blocked" wait_for 2 block_is_active
	if [ "$1" = 1 ]; then
		cli block list
		alert_policies | sort | uniq -c
		check "the block stands in nftables with a timeout" fence_shows_timeout
	fi
	round_end
}

# The look-up itself is invisible (HTTPS, an unknown encoding): the wire alone keeps the packet that matters.
late_round() { # late_round POLICY
	only_policies "$1"
	round enforce --no-hold --policy "$LAB/policy"
	check "$1 alone: the class was not loaded" test ! -e "$LAB/marker"
	check "$1 alone: no byte of it reached the DMZ" no_class_byte_arrived
	check "$1 alone: cut on the same packet" test "$(wire_counter cuts_certain)" -ge 1
	check "$1 alone: it alerted" wait_for 2 attack_alerted "$1"
	round_end
}

block_is_active() {
	cli block list --json | grep -q '"state": *"active"'
}

fence_shows_timeout() {
	ip netns exec "$LAB_WIRE" nft list table inet sekimori | tee "$LAB/nft.txt" | grep -q "$LAB_ATTACKER_ADDRESS.*timeout.*expires"
	grep "$LAB_ATTACKER_ADDRESS" "$LAB/nft.txt"
}

observe_round() {
	round observe
	check "observe $1: the class was loaded" wait_for 5 marker_exists
	check "observe $1: would-block was reported" wait_for 2 some_alert_says would-block
	check "observe $1: nothing was blocked" test "$(wire_counter frames_dropped_block)$(wire_counter frames_dropped_cut)" = 00
	if [ "$1" = 1 ]; then
		alert_policies | sort | uniq -c
		cli incident show 1
	fi
	round_end
}

block_times() {
	python3 - "$LAB/statuses.json" <<-'END'
		import re, sys
		times = re.findall(r'"block time": *"([0-9.a-z]+) / ([0-9.a-z]+) \((\d+)\)"', open(sys.argv[1]).read())
		unit = {'ns': 1e-3, 'us': 1, 'ms': 1e3, 's': 1e6}
		def us(text):
		    return sum(int(n) * unit[u] for n, u in re.findall(r'(\d+)(ns|us|ms|s)', text))
		worst = sorted(us(p99) for p50, p99, n in times)
		if worst:
		    print(f"frame to block in force over {len(worst)} runs: p50 {worst[len(worst)//2]:.0f} us, p99 {worst[min(len(worst)-1, len(worst)*99//100)]:.0f} us")
	END
}

lab_need curl cmp ss python3 nft tcpdump editcap
lab_begin wire
wire_start
wait_for 10 lab_reachable
nginx_start
attack_services_start
ordinary_clients
teach
mv "$LAB/state" "$LAB/taught"
lab_stop wire
for n in $(seq 1 "${ROUNDS:-2}"); do
	enforce_round "$n"
done
late_round ldap/java-reference-external
late_round file/exposed-server-download
for n in $(seq 1 "${OBSERVE_ROUNDS:-1}"); do
	observe_round "$n"
done
block_times
