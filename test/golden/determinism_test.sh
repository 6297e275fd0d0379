#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The same captures and the same state give the same bytes: events, journal, what is printed and what is kept for the
# next capture. The second time memory comes filled with other bytes, in another place, time zone and folder.
# usage: determinism_test.sh SEKIMORI-BENCH [SEKIMORI]
set -euo pipefail

bench=$(realpath "${1:?usage: determinism_test.sh SEKIMORI-BENCH [SEKIMORI]}")
sekimori=$(realpath "${2:-$(dirname "$bench")/../cli/sekimori}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
failed=0

same() { # TEXT FILE: of the first and of the second time
	number=$((number + 1))
	if cmp -s "$work/1/$2" "$work/2/$2"; then
		echo "ok $number - $1: $(wc -c <"$work/1/$2") bytes"
	else
		echo "not ok $number - $1"
		{ diff "$work/1/$2" "$work/2/$2" || true; } | head -n 6 | cut -c 1-400 | sed 's/^/# /'
		failed=1
	fi
}

replay() { # TIME NAME OPTION... CAPTURE...
	local time=$1 name=$2
	shift 2
	mkdir -p "$work/$time/folder$time"
	(
		cd "$work/$time/folder$time"
		if [ "$time" = 2 ]; then export MALLOC_PERTURB_=85 TZ=Asia/Tokyo LC_ALL=C ANOTHER_PLACE="$work/$work/$work"; fi
		"$sekimori" replay --lang en --lang ja --eve "$work/$time/$name.eve" --dump "$work/$time/$name.dump" "$@"
	) >"$work/$time/$name.out" 2>&1
}

compare() { # NAME: of a replay
	same "$1: events" "$1.eve"
	same "$1: journal" "$1.dump"
	same "$1: what was printed" "$1.out"
}

generate() { # FILE SCENE [OPTION...]
	local file=$1 scene=$2
	shift 2
	"$bench" generate --scene "$scene" --days 4 "$@" -o "$work/$file.pcap" 2>>"$work/log"
}

kept() { # STATE: what of it is not SQLite's, whose dump is compared instead
	(cd "$1" && find . -type f ! -name 'journal.db*' -exec sha256sum {} + | LC_ALL=C sort)
}

for scene in week case1 case2 log4shell-clear; do generate "$scene" "$scene"; done
generate alone log4shell-clear --attack-only
for time in 1 2; do
	state=$work/$time/state
	replay "$time" alone --mode enforce "$work/alone.pcap"
	replay "$time" week --state "$state" --mode observe "$work/week.pcap"
	kept "$state" >"$work/$time/kept"
	replay "$time" case1 --state "$state" --mode observe "$work/case1.pcap"
	replay "$time" case2 --state "$state" --mode enforce "$work/case2.pcap"
	kept "$state" >>"$work/$time/kept"
	replay "$time" both --mode enforce "$work/week.pcap" "$work/log4shell-clear.pcap"
done
for name in alone week case1 case2 both; do compare "$name"; done
same "learned state" kept
echo "1..$number"
exit "$failed"
