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
echo "1..$number"
exit $failed
