#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What nobody could hear is no success, what was closed is no place to write to, and no word is passed over: streams that are
# full or closed, hostile texts, options that a verb does not know.
# usage: words_test.sh SEKIMORI-BENCH SEKIMORI
set -euo pipefail

bench=$(realpath "${1:?usage: words_test.sh SEKIMORI-BENCH SEKIMORI}")
sekimori=$(realpath "${2:?usage: words_test.sh SEKIMORI-BENCH SEKIMORI}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
failed=0

check() { # TEXT COMMAND...
	number=$((number + 1))
	if "${@:2}" >"$work/said" 2>&1; then echo "ok $number - $1"; else
		echo "not ok $number - $1"
		tail -n 5 "$work/said" "$work/err" 2>/dev/null | sed 's/^/# /'
		failed=1
	fi
}

exits() { # STATUS WORD...: output to $work/out, messages to $work/err
	local status=0
	"$sekimori" "${@:2}" >"$work/out" 2>"$work/err" || status=$?
	[ "$status" = "$1" ] || { echo "sekimori ${*:2}: exit $status, expected $1"; return 1; }
}

to() { # FILE STATUS WORD...: output to FILE
	local status=0
	"$sekimori" "${@:3}" >"$1" 2>"$work/err" || status=$?
	[ "$status" = "$2" ] || { echo "sekimori ${*:3} > $1: exit $status, expected $2"; return 1; }
}

says() { grep -q -- "$2" "$work/$1" || { cat "$work/$1"; return 1; }; }

is_json() { # FILE: every line
	python3 -c 'import json, sys
for line in open(sys.argv[1]): json.loads(line)' "$1"
}

closed_streams() {
	local status=0
	"$sekimori" replay --observations --eve "$work/closed.json" "$work/case2.pcap" >&- 2>&- || status=$?
	[ "$status" = 1 ] && test -s "$work/closed.json" && is_json "$work/closed.json"
}

"$bench" generate --scene case2 --days 1 -o "$work/case2.pcap" 2>/dev/null
check "a full standard output" to /dev/full 1 policy check
check "  is said" says err 'standard output'
check "  also by replay" to /dev/full 1 replay --quiet "$work/case2.pcap"
check "standard output and error closed: no events file is written into" closed_streams
check "events that could not be written" exits 1 replay --quiet --eve /dev/full "$work/case2.pcap"
check "  are said" says err '/dev/full: [0-9]* lines'
check "  and not when they could" exits 0 replay --quiet --eve "$work/eve.json" "$work/case2.pcap"
# ---- hostile texts

# shellcheck disable=SC1003
bad_policy() { # NAME ALIAS
	mkdir -p "$work/policy"
	printf 'policy: %s\nalias: %s\nversion: 1\npriority: 2\nphase: control\non: flow.open\nwhen: [port == 1]\nthrottle: 1h per device\n' "$1" "$2" >"$work/policy/x.yaml"
}

has_no_escape() { ! grep -q "$(printf '\033')" "$work/$1"; }

bad_policy a/b '"x\e[31my"'
check "a policy's alias" exits 0 policy check "$work/policy"
check "  moves nobody's cursor" has_no_escape out
check "  and is shown" says out 'x\\x1b\[31my'
bad_policy '"\e[31m"' x
check "a policy's name that is none" exits 1 policy check "$work/policy"
check "  moves nobody's cursor either" has_no_escape err

# ---- options that would not have been heeded, said before anybody is asked

check "block add: an end that is no length" exits 2 block add 192.0.2.1 --until 2099-01-01T00:00:00Z
check "  is said" says err '--for'
check "block add: for no time at all" exits 2 block add 192.0.2.1 --for 0s
check "block extend: by no time at all" exits 2 block extend 1 --by 0s --until 2099-01-01T00:00:00Z
check "block add: for a time" exits 4 block add 192.0.2.1 --for 1m --run-dir "$work"
check "alert list: of a policy, as if it chose" exits 2 alert list --policy conn/beacon --run-dir "$work"
check "block list: of a port, as if it chose" exits 2 block list --port 88 --run-dir "$work"
check "alert list: of a number, as if it chose" exits 2 alert list 7 --run-dir "$work"
check "mode show: as if it set" exits 2 mode show enforce --run-dir "$work"
check "status of something" exits 2 status wire --run-dir "$work"
check "panic, and something" exits 2 panic off now --run-dir "$work"
check "policy reload of a folder: the brain has its own" exits 2 policy reload "$work/policy" --run-dir "$work"
check "captures beside a journal" exits 2 replay --journal "$work/state" "$work/case2.pcap"

# ---- an export that does not fit

"$sekimori" replay --quiet --state "$work/state" "$work/case2.pcap" >/dev/null
cut_export() {
	local status=0
	(trap '' XFSZ; ulimit -f 1; exec "$sekimori" baseline export "$work/exported" --state "$work/state") || status=$?
	[ "$status" = 1 ]
}
check "an export that does not fit" cut_export
check "  leaves nothing that looks like one" test ! -e "$work/exported"
check "  and can be made again" exits 0 baseline export "$work/exported" --state "$work/state"
echo "1..$number"
exit $failed
