#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The generator repeats itself: the same seed gives the same bytes, another seed gives others, and the frames are
# whole (tshark finds nothing malformed, no wrong checksum, no gap). usage: generator_test.sh SEKIMORI-BENCH
set -euo pipefail

bench=${1:?usage: generator_test.sh SEKIMORI-BENCH}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0
failed=0

ok() { # ok TEXT COMMAND...: one line of TAP
	local text=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number - $text"
	else
		echo "not ok $number - $text"
		failed=1
	fi
}

generate() { # generate FILE SCENE SEED [OPTION...]
	local file=$1 scene=$2 seed=$3
	shift 3
	"$bench" generate --scene "$scene" --seed "$seed" "$@" -o "$folder/$file" 2>> "$folder/log"
}

sum() {
	sha256sum < "$folder/$1"
}

same() {
	[ "$(sum "$1")" = "$(sum "$2")" ]
}

differ() {
	! same "$1" "$2"
}

# Frames tshark objects to. Refused connections (RST) are ordinary here.
clean() {
	local bad
	bad=$(tshark -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -r "$folder/$1" -Y \
		'tcp.checksum.status==0 || udp.checksum.status==0 || ip.checksum.status==0 || tcp.analysis.flags || _ws.malformed' \
		2>> "$folder/log" | head -5)
	[ -z "$bad" ] || { sed 's/^/# /' <<< "$bad"; return 1; }
}

ordered() { # no frame earlier than the one before it
	tshark -r "$folder/$1" -T fields -e frame.time_delta 2>> "$folder/log" | awk '$1 < 0 { bad = 1 } END { exit bad }'
}

generate a.pcap case1 7 --attack-only
generate b.pcap case1 7 --attack-only
ok "case1: the attack alone is the same twice" same a.pcap b.pcap
for scene in week case1 case2 log4shell-clear; do
	generate a.pcap "$scene" 7 --days 2
	generate b.pcap "$scene" 7 --days 2
	generate c.pcap "$scene" 8 --days 2
	ok "$scene: the same seed gives the same bytes" same a.pcap b.pcap
	ok "$scene: another seed gives other bytes" differ a.pcap c.pcap
	if command -v tshark > /dev/null; then
		ok "$scene: tshark objects to nothing" clean a.pcap
		ok "$scene: frames are in the order of their time" ordered a.pcap
	fi
done
echo "1..$number"
exit "$failed"
