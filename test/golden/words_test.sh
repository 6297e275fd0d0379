#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What nobody could hear is no success, what was closed is no place to write to, and no word is passed over: streams that are
# full or closed, hostile texts, options that a verb does not know.
# usage: words_test.sh SEKIMORI-BENCH SEKIMORI
set -euo pipefail

bench=$(realpath "${1:?usage: words_test.sh SEKIMORI-BENCH SEKIMORI}")
sekimori=$(realpath "${2:?usage: words_test.sh SEKIMORI-BENCH SEKIMORI}")
# shellcheck source=test/golden/checks.sh
. "$(dirname "$0")/checks.sh"

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
long=$(printf '理%.0s' {1..42})
check "a reason that can be kept" exits 4 block lift 1 --reason "$long" --run-dir "$work"
check "  and one that would be cut short" exits 2 block lift 1 --reason "${long}由" --run-dir "$work"
check "  which is said" says err '127 bytes'
check "panic by a signal, which turns it" exits 0 panic --help
check "  is said to" says out 'each signal turns it'
check "suppress add: a policy that is but a word" exits 2 suppress add conn/beacon --device 192.0.2.1 --for 1d --reason x --run-dir "$work"
check "suppress add: of one transport, as if it chose" exits 2 suppress add --port 53 --udp --for 1d --reason x --run-dir "$work"
check "suppress list: of a number" exits 2 suppress list 3 --run-dir "$work"
check "suppress add" exits 4 suppress add --policy conn/beacon --device 192.0.2.1 --for 1d --reason x --run-dir "$work"
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
# ---- what is inside, however long the list

cp -r "$(dirname "$0")/../../policy" "$work/wide"
{ printf 'inside: ['; printf '10.77.%d.0/24, ' {1..64}; echo '192.0.2.0/24]'; } >"$work/wide/network.yaml"
check "the 65th network inside" exits 0 replay --quiet --observations --policy "$work/wide" "$work/case2.pcap"
check "  is inside" says out '^flow.open out 192.0.2.'

# ---- what a block must pass is never less than 10 bits

check "baseline diff" exits 0 baseline diff now now --state "$work/state"
check "  tells the threshold that holds" says out '^threshold of blocks: 10.0 bits, was 10.0 bits$'

# ---- "now", saved anew while it is fetched

# A brain that answers for the folder, and of the first part it is asked for gives 1000 bytes of the save before. Asked for anything
# else it has a block.
cat >"$work/brain.py" <<'PY'
import socket, sys
def number(n):
    out = b""
    while n > 127: out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])
def field(data, wanted): # a number of the request
    at = 0
    def take():
        nonlocal at
        n = shift = 0
        while True:
            c = data[at]; at += 1; n |= (c & 127) << shift; shift += 7
            if c < 128: return n
    while at < len(data):
        key = take()
        value = take()
        if key & 7 == 2: at += value
        elif key >> 3 == wanted: return value
    return 0
before, now = (open(f, "rb").read() for f in sys.argv[2:4])
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
server.settimeout(20)
saved = False
while True:
    client = server.accept()[0]
    size = int.from_bytes(client.recv(4, socket.MSG_WAITALL), "big")
    request = client.recv(size, socket.MSG_WAITALL)
    if b"now" in request:
        offset = field(request, 33)
        part = (now[offset:offset + 1000000] if saved else before[:1000])
        saved = True
        reply = number(32 << 3 | 2) + number(len(part)) + part if part else b""
    else:
        reason = "取引先のサーバ \x1b[31m".encode()
        block = bytes([1 << 3, 7, 12 << 3 | 2]) + number(len(reason)) + reason
        reply = bytes([8 << 3 | 2]) + number(len(block)) + block
    client.sendall(len(reply).to_bytes(4, "big") + reply)
    client.close()
PY
cp "$work/state/learned" "$work/before"
"$sekimori" replay --quiet --state "$work/state" --budget 2 "$work/case2.pcap" >/dev/null
mkdir "$work/run"
python3 "$work/brain.py" "$work/run/brain.sock" "$work/before" "$work/state/learned" 2>/dev/null &
brain=$!
for _ in {1..50}; do [ -S "$work/run/brain.sock" ] && break; sleep 0.1; done
check "two saves differ" eval '! cmp -n 1000 "$work/before" "$work/state/learned"'
check "now, of which parts of two saves came, is fetched again" exits 0 baseline export "$work/whole" --run-dir "$work/run"
check "  whole" cmp "$work/whole" "$work/state/learned"
check "a table" env LC_ALL=C "$sekimori" block list --run-dir "$work/run"
cp "$work/said" "$work/table"
check "  shows Japanese, whatever the locale" grep -F '取引先のサーバ' "$work/table"
check "  and what is no text as its bytes" grep -F ' \x1b[31m' "$work/table"
kill "$brain"
checks_end
