#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# replay --compare and --journal: the same policies differ in nothing, a policy that is gone and one that blocks too much are
# found with what they would have done, twice the same, and the learned state stays as it was.
# usage: compare_test.sh SEKIMORI-BENCH [SEKIMORI]
set -euo pipefail

bench=$(realpath "${1:?usage: compare_test.sh SEKIMORI-BENCH [SEKIMORI]}")
sekimori=$(realpath "${2:-$(dirname "$bench")/../cli/sekimori}")
policy=$(cd "$(dirname "$0")/../../policy" && pwd)
# shellcheck source=test/golden/checks.sh
. "$(dirname "$0")/checks.sh"

compare() { # NEW [OPTION...]: output to $work/out
	"$sekimori" replay --state "$work/state" --policy "$1" --compare "$policy" "${@:2}" "$work/case1.pcap" >"$work/out" 2>&1
}

says() { grep -qE "$1" "$work/out"; }
hash_of_state() { sha256sum <"$work/state/learned"; }

for scene in week case1; do "$bench" generate --scene "$scene" --days 4 -o "$work/$scene.pcap" 2>/dev/null; done
"$sekimori" replay --state "$work/state" --quiet "$work/week.pcap" >/dev/null
before=$(hash_of_state)

compare "$policy"
check "the same policies: no block, no alert of one alone" says '^blocks only with NEW: 0 '
check "  nor of the other" says '^alerts only with OLD: 0 kinds'
check "  and blocks there are" says '^blocks only with OLD: 0 \(with both: [1-9]'

cp -r "$policy" "$work/gone"
awk 'BEGIN { RS = "\n---\n" } !/policy: conn\/new-agent-bare-ip/ { printf "%s%s", n++ ? "\n---\n" : "", $0 }' "$policy/conn.yaml" >"$work/gone/conn.yaml"
compare "$work/gone"
check "a policy that is gone: its alerts are the old side's alone" says '^  [0-9]+ x conn/new-agent-bare-ip '
check "  and nothing is the new side's alone" says '^alerts only with NEW: 0 kinds'

cp -r "$policy" "$work/much"
cat >"$work/much/zz.yaml" <<'END'
policy: test/too-much
title: Any outside address this device did not call before
version: 1
priority: 3
phase: control
on: flow.open
when: [direction == out, endpoint.days == 0]
evidence: [endpoint]
weight: 20
throttle: 1h per device endpoint
response: {block: endpoint-port, for: 1h}
END
compare "$work/much" --budget 0
check "a policy that blocks too much: its blocks are the new side's" says '^  [0-9a-f.:/]+ (tcp|udp)/[0-9]+ by test/too-much at '
check "  and refuse ordinary flows" says '^ordinary flows that began under a block of NEW: ([3-9]|[1-9][0-9]+) of '
cp "$work/out" "$work/first"
compare "$work/much" --budget 0
check "twice the same" cmp "$work/first" "$work/out"
check "the learned state is as it was" test "$before" = "$(hash_of_state)"
check "another mode is refused" eval '! compare "$policy" --mode enforce'
check "a damaged state is refused" eval 'cp -r "$work/state" "$work/bad"; printf x >>"$work/bad/learned"; ! "$sekimori" replay --state "$work/bad" --policy "$policy" --compare "$policy" "$work/case1.pcap"'
check "  and left alone" test -e "$work/bad/learned"

"$sekimori" replay --state "$work/state" --quiet "$work/case1.pcap" >/dev/null
again() { "$sekimori" replay --journal "$work/state" --policy "$1" "${@:2}" >"$work/out" 2>&1; }
again "$policy" --compare "$policy"
check "a journal, the same policies: all judged, none differs" eval "says '^([0-9]+) of \1 alerts judged again' && ! says '^  alert '"
check "  and what cannot be judged is named" says '^cannot be judged without captures: rmi/external: no alert of it'
again "$work/gone"
check "a journal, a policy that is gone" says '^conn/new-agent-bare-ip: gone, [1-9]'
sed -i 's/^version: 1$/version: 7/' "$work/much/conn.yaml"
again "$work/much"
check "a journal, another version" says '^cannot be judged without captures: conn/[a-z-]+: its conditions are others'
again "$work/much" --compare "$policy"
check "  which the conditions themselves overrule" eval "! says 'its conditions are others'"
checks_end
