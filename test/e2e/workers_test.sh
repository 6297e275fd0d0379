#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Three workers behind ports of one queue: what many clients fetch arrives whole, each connection is seen by one worker from its first frame to its last, and the
# counters of all threads add up.
#
#   attacker eth0 ──── outside [sekimori-wire, 1 + 3 threads] inside ──── eth0 dmz
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/lab_services.sh"
. "$here/sekimori.sh"

# The mark xargs replaces is one that no path of mktemp can hold.
fetch_all() { # every client fetches a file, several at a time
	seq 1 $SEKIMORI_CLIENTS | xargs -P 4 -I '<client>' ip netns exec "$LAB_ATTACKER" sh -c \
		"curl -sS --fail --max-time 20 --interface 198.51.100.\$((100 + <client>)) http://$LAB_DMZ_ADDRESS:$LAB_HTTP_PORT/64k | cmp - $LAB/nginx/files/64k"
}

adds_up() { # frames in = frames out + dropped, once nothing is on its way
	cli counters --json | python3 -c '
import json, sys
c = {x["counter"]: x["value"] for x in json.load(sys.stdin)["counters"]}
dropped = sum(v for k, v in c.items() if k.startswith("frames_dropped_"))
print(c["frames_in"], c["frames_out"], dropped)
sys.exit(c["frames_in"] != c["frames_out"] + dropped)'
}

lab_need curl cmp ss python3 pgrep
lab_begin wire
wire_start --workers 3
wait_for 10 lab_reachable
nginx_start
ordinary_clients
brain_start observe
check "twenty-four clients' files arrive whole" fetch_all
check "no flow was seen from its middle" test "$(wire_counter tcp_midstream)" = 0
check "no frame was lost between the threads" test "$(wire_counter frames_dropped_worker_full)" = 0
check "the brain saw every request" wait_for 5 sh -c "[ \$(grep -c '\"url\":\"/64k\"' '$LAB/eve.json') -ge $SEKIMORI_CLIENTS ]"
check "frames in are frames out and dropped" wait_for 5 adds_up
