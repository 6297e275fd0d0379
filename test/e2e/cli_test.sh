#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every noun and verb of the CLI against a live wire and brain: exit codes, JSON, and that what it says is what the wire does.
#
#   attacker eth0 ──── outside [sekimori-wire] inside ──── eth0 dmz
#   slapd, class server :8000, pages and echo :8001        nginx :80, vulnerable program :8080
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/lab_services.sh"
. "$here/sekimori.sh"
PORT=8001

exits() { # exits STATUS WORD...: the CLI ends with it; what it said is in out and err
	local want=$1 status=0
	shift
	cli "$@" > "$LAB/out" 2> "$LAB/err" || status=$?
	[ "$status" = "$want" ] || { echo "sekimori $*: exit $status, expected $want"; cat "$LAB/out" "$LAB/err"; return 1; }
}

says() { # says FILE PATTERN: of the last call
	grep -q -- "$2" "$LAB/$1" || { cat "$LAB/$1"; return 1; }
}

json() { # json STATUS WORD...: that exit, and JSON that parses
	local want=$1
	shift
	exits "$want" "$@" --json && python3 -m json.tool < "$LAB/out" > /dev/null
}

field() { # field FIELD CONDITION...: of the newest block for which the Python expression on b holds
	cli block list --json 2> /dev/null | python3 -c '
import json, sys
print(max((b for b in json.load(sys.stdin)["blocks"] if eval(sys.argv[2])), key=lambda b: b["id"])[sys.argv[1]])' "$1" "${2:-True}"
}

add() { # add WORD...: a block; its number in ID
	exits 0 block add "$@" --reason test --json && ID=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["blocks"][0]["id"])' "$LAB/out")
}

lifted() {
	exits 0 block lift "$ID" --reason 'test ends' && says out lifted
}

reaches() { # reaches ADDRESS: a page of the attacker's, from the DMZ
	in_dmz curl -sg -o /dev/null --max-time 1 "http://$1:$PORT/"
}

is_refused() { # by a reset, not by waiting (curl: 7 no connection, 28 timeout)
	local status=0
	reaches "$1" || status=$?
	[ "$status" = 7 ]
}

echoes() {
	in_dmz python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(0.5)
s.sendto(b"there?", (sys.argv[1], int(sys.argv[2])))
s.recv(100)' "$LAB_ATTACKER_ADDRESS" "$PORT" 2> /dev/null
}

silent() {
	! echoes
}

servers_start() {
	lab_start pages "$LAB_ATTACKER" python3 -m http.server --bind :: --directory "$LAB/payload" "$PORT"
	lab_start echo "$LAB_ATTACKER" python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[1])))
while True:
    s.sendto(*s.recvfrom(2000))' "$PORT"
	wait_for 10 listens "$LAB_ATTACKER" "$PORT"
	wait_for 10 echoes
}

# ---- without anybody, with the wire alone

nobody_there() {
	exits 4 alert list && exits 4 block list && exits 4 mode show && exits 4 panic
}

words() {
	exits 2 && exits 2 nonsense && exits 0 --help && exits 0 --version && exits 2 block && exits 2 block nonsense &&
		exits 2 block add && exits 2 block show && exits 2 block show x && exits 2 block show 0 && exits 2 alert show && exits 2 alert list --nonsense &&
		exits 2 alert list too many words && exits 2 mode set && exits 2 mode fly && exits 2 panic now && exits 2 policy && exits 2 device show &&
		exits 2 incident show 1 --lang de && exits 2 alert list --since 7 && exits 2 alert list --limit x && exits 0 block --help &&
		exits 2 replay && exits 2 replay --mode fly x.pcap && exits 2 replay --budget x x.pcap && exits 2 replay --inside x x.pcap &&
		exits 2 run --inside x --outside y $(printf -- '--never 192.0.2.%d ' {1..200}) && exits 2 replay --lang de x.pcap && exits 2 replay --compare . --mode enforce x.pcap
}

panic_without_brain() {
	exits 0 panic && says err 'brain does not answer' && exits 4 status && says out PANIC && exits 0 panic off
}

# ---- blocks

block_words() {
	exits 2 block add not-an-address && exits 2 block add "$LAB_ATTACKER_ADDRESS" --port 70000 &&
		exits 2 block add "$LAB_ATTACKER_ADDRESS" --for 90 && says err '90s, 30m, 2h' && exits 2 block add "$LAB_ATTACKER_ADDRESS" --for 30d &&
		exits 2 block add 198.0.0.0/8 && exits 2 block add 2001:db8::/29 && exits 2 block add 198.51.100.7/24 && exits 5 block add 0.0.0.0/0
}

never_block() {
	exits 5 block add 203.0.113.53 && says err 'never-block' && exits 5 block add 203.0.113.0/24 && exits 5 block add 2001:db8:77::53 &&
		exits 5 block add 127.0.0.1 && exits 0 block add 203.0.114.53 --for 1m
}

changes() {
	local before
	add "$LAB_ATTACKER_ADDRESS" --port "$PORT" --for 10m &&
		exits 2 block lift "$ID" && exits 2 block extend "$ID" && exits 2 block extend "$ID" --by 1h --until 2099-01-01T00:00:00Z &&
		exits 2 block extend "$ID" --by 90 && exits 2 block extend "$ID" --until yesterday &&
		exits 2 block extend "$ID" --until 2020-01-01T00:00:00Z && exits 3 block extend 4711 --by 1h && exits 3 block lift 4711 --reason x &&
		exits 3 block show 4711 && exits 3 block confirm "$ID" || return 1
	before=$(field until)
	exits 0 block extend "$ID" --by 1h && [[ $(field until) > $before ]] || return 1
	exits 0 block extend "$ID" --until "$(date -u -d '+3 hours' +%FT%TZ)" && field remaining && field remaining | grep -q '^2h59m\|^3h' || return 1
	exits 0 block show "$ID" && says out active && json 0 block show "$ID"
}

one_endpoint() {
	wait_for 2 is_refused "$LAB_ATTACKER_ADDRESS" && reaches "$LAB_CLIENT_ADDRESS" && reaches "[$LAB_ATTACKER_ADDRESS6]" && echoes &&
		lifted && wait_for 2 reaches "$LAB_ATTACKER_ADDRESS" && exits 3 block lift "$ID" --reason again
}

six() {
	add "$LAB_ATTACKER_ADDRESS6" --port "$PORT" && wait_for 2 is_refused "[$LAB_ATTACKER_ADDRESS6]" &&
		reaches "[$LAB_CLIENT_ADDRESS6]" && reaches "$LAB_ATTACKER_ADDRESS" && lifted && wait_for 2 reaches "[$LAB_ATTACKER_ADDRESS6]"
}

prefix() {
	add 198.51.100.200/31 && wait_for 2 is_refused "$LAB_ATTACKER_ADDRESS" && is_refused "$LAB_CLIENT_ADDRESS" && reaches 198.51.100.101 &&
		lifted && wait_for 2 reaches "$LAB_CLIENT_ADDRESS"
}

prefix_six() {
	add 2001:db8:5::200/120 && wait_for 2 is_refused "[$LAB_CLIENT_ADDRESS6]" && reaches "$LAB_CLIENT_ADDRESS" && lifted &&
		wait_for 2 reaches "[$LAB_CLIENT_ADDRESS6]"
}

datagrams() {
	add "$LAB_ATTACKER_ADDRESS" --port "$PORT" --udp && wait_for 2 silent && reaches "$LAB_ATTACKER_ADDRESS" && lifted && wait_for 2 echoes
}

# ---- modes

modes() {
	exits 6 mode set enforce && says err yes && exits 2 mode set fly && json 0 mode show && exits 0 mode set enforce --yes && says out enforce
}

observing() {
	add "$LAB_ATTACKER_ADDRESS" --port "$PORT" && wait_for 2 is_refused "$LAB_ATTACKER_ADDRESS" && exits 0 mode set observe &&
		wait_for 2 reaches "$LAB_ATTACKER_ADDRESS" && exits 0 block add 203.0.114.54 && says err 'mode observe nothing is refused' &&
		exits 0 mode set enforce --yes && wait_for 2 is_refused "$LAB_ATTACKER_ADDRESS"
}

panicking() {
	exits 0 panic && wait_for 2 reaches "$LAB_ATTACKER_ADDRESS" && exits 0 mode show && says out observe && exits 0 status && says out PANIC &&
		exits 0 panic off && reaches "$LAB_ATTACKER_ADDRESS" && exits 0 mode set enforce --yes && wait_for 2 is_refused "$LAB_ATTACKER_ADDRESS"
}

panic_with_the_brain_dead() {
	lab_stop brain KILL
	is_refused "$LAB_ATTACKER_ADDRESS" && exits 0 panic && wait_for 2 reaches "$LAB_ATTACKER_ADDRESS" && exits 0 panic off &&
		wait_for 2 is_refused "$LAB_ATTACKER_ADDRESS"
}

pending() {
	cli block list --json | grep -q '"state": *"pending"'
}

advised() {
	lookup_attack > "$LAB/attack.out" 2>&1
	wait_for 3 pending || return 1
	test -e "$LAB/marker" || return 1
	ID=$(field id 'b["state"] == "pending"')
	exits 0 block confirm "$ID" && says out active && exits 3 block confirm "$ID"
}

confirmed_holds() {
	local port
	port=$(field port "b['id'] == $ID")
	echo "  confirmed: $(field endpoint "b['id'] == $ID") port $port"
	PORT=$port wait_for 2 is_refused "$LAB_ATTACKER_ADDRESS" && reaches "$LAB_CLIENT_ADDRESS"
}

records() {
	json 0 alert list && json 0 alert show 1 && exits 0 alert show 1 && exits 0 alert list --since 1h --priority 1 --limit 1 &&
		json 0 incident list && json 0 incident show 1 && exits 0 incident show 1 && exits 0 incident show 1 --lang ja && says out 'インシデント\|攻撃\|遮断' &&
		json 0 device list && json 0 device show "$LAB_DMZ_ADDRESS" && exits 0 device show "$LAB_DMZ_ADDRESS" && says out "$LAB_DMZ_ADDRESS" &&
		exits 3 alert show 4711 && exits 3 incident show 4711 && exits 3 device show 192.0.2.77 && exits 3 device show nonsense &&
		json 0 status && json 0 counters && exits 0 status && exits 0 counters && says out frames_in && json 0 block list
}

explained() {
	exits 0 explain 1 && says out 'numbers agree to the last digit' && json 0 explain 1 && exits 3 explain 4711 && exits 2 explain &&
		exits 2 explain x && exits 2 explain --all && exits 0 explain --all --state "$LAB/state" && says out 'agree to the last digit' &&
		exits 0 explain 1 --state "$LAB/state" && exits 1 explain 1 --state "$LAB/nowhere"
}

suppressing() {
	exits 2 suppress && exits 2 suppress add --for 1h --reason x && exits 2 suppress add --port 80 --reason x && exits 2 suppress add --port 80 --for 1h &&
		exits 2 suppress add --policy no/such --for 1h --reason x && exits 2 suppress add --device fred --for 1h --reason x &&
		exits 2 suppress remove && exits 3 suppress remove 7 && exits 3 suppress list || return 1
	exits 0 suppress try --device "$LAB_DMZ_ADDRESS" --certain && says err 'would match [1-9]' && exits 0 alert list || return 1
	exits 0 suppress add --device "$LAB_DMZ_ADDRESS" --certain --for 1h --reason 'a drill' && says err ' matches [1-9]' && says out drill &&
		exits 3 alert list && says err 'suppressed are not shown' && exits 3 incident list && json 0 alert list --all && says out '"suppressed": *"yes"' &&
		exits 0 incident list --all && exits 0 alert show 1 && exits 0 incident show 1 && json 0 suppress list || return 1
	exits 0 suppress remove 1 && says out removed && exits 3 suppress list && exits 0 suppress list --all && exits 0 alert list && exits 0 incident list &&
		exits 3 suppress remove 1
}

nothing_yet() {
	json 3 alert list && json 3 incident list && json 3 block list
}

# ---- how many alarms; what was learned

budgets() {
	exits 0 budget show && says out '^alarms  *1 a day' && says out 'of exposed-servers .*no threshold yet' && says out '>= 100 %: 0 days are not enough for 1 alarms a day' && json 0 budget show &&
		exits 0 budget set 3 --blocks 0.5 && says out '^alarms  *3 a day' && says out '^blocks  *0.5 a day' && exits 0 budget show && says out '^alarms  *3 a day' &&
		exits 2 budget set 11 && exits 2 budget set x && exits 2 budget set && exits 2 budget && exits 2 budget set -- -1 &&
		exits 0 budget set 0 && says out 'no budget' && exits 0 budget set 2 &&
		exits 3 incident confirm 4711 && exits 2 incident confirm x && exits 0 incident confirm 1 && exits 0 incident confirm 1 && says err 'confirmed before'
}

budget_kept() {
	exits 0 budget show && says out '^alarms  *2 a day'
}

baselines() {
	local name
	exits 0 baseline save && name=$(sed 's/sekimori: //' "$LAB/err") && json 0 baseline list && exits 0 baseline list && says out "$name" || return 1
	exits 0 baseline export "$LAB/exported" "$name" && exits 1 baseline export "$LAB/exported" "$name" && says err 'File exists' &&
		exits 0 baseline import "$LAB/exported" && json 0 baseline diff "$name" "$name" && exits 0 baseline diff "$name" "$name" && says out '^0 devices changed' || return 1
	head -c 5000 "$LAB/exported" > "$LAB/cut"
	exits 1 baseline import "$LAB/cut" && says err 'damaged' && exits 6 baseline rollback "$name" && exits 0 baseline rollback "$name" --yes &&
		exits 3 baseline rollback 2020-01-01T000000-01234567 --yes && exits 2 baseline rollback ../learned --yes && exits 2 baseline diff "$name" &&
		exits 2 baseline nonsense && json 0 baseline drift && exits 0 baseline list --state "$LAB/state" && says out "$name" &&
		exits 0 baseline diff "$name" now --state "$LAB/state" && says out 'devices changed$'
}

# ---- policies, people

policies() {
	exits 0 policy check "$LAB/policy" && exits 0 policy check && exits 0 policy reload || return 1
	cp -r "$LAB/policy" "$LAB/broken"
	sed -i '0,/^priority: .*/s//priority: enormous/' "$LAB/broken/conn.yaml"
	exits 1 policy check "$LAB/broken" && says err 'conn.yaml:[0-9]*: ' && exits 1 policy check /nonexistent || return 1
	cp "$LAB/policy/conn.yaml" "$LAB/conn.yaml"
	cp "$LAB/broken/conn.yaml" "$LAB/policy/conn.yaml"
	exits 1 policy reload && says err 'conn.yaml:[0-9]*: .*old policies stay' || return 1
	cp "$LAB/conn.yaml" "$LAB/policy/conn.yaml"
	exits 0 policy reload
}

never_block_reloaded() {
	exits 0 block add 192.0.2.99 --for 10m &&
		sed -i 's/^never_block: .*/never_block: [203.0.113.53, "2001:db8:77::53", 192.0.2.99]/' "$LAB/policy/network.yaml" &&
		exits 0 policy reload && [ "$(field state 'b["endpoint"] == "192.0.2.99/32"')" = lifted ] && exits 5 block add 192.0.2.99
}

as_nobody() { # as_nobody STATUS WORD...
	local want=$1 status=0
	shift
	setpriv --reuid 65534 --regid 65534 --clear-groups "$LAB/sekimori" "$@" --run-dir "$LAB/run" > "$LAB/out" 2> "$LAB/err" || status=$?
	[ "$status" = "$want" ] || { echo "as nobody: sekimori $*: exit $status, expected $want"; cat "$LAB/out" "$LAB/err"; return 1; }
}

# Where the sockets' mode lets everybody in, everybody may look; nobody else may change.
strangers() {
	cp "$SEKIMORI_BUILD/app/cli/sekimori" "$LAB/sekimori"
	chmod 755 "$LAB/sekimori" "$LAB/run"
	as_nobody 5 mode set observe && as_nobody 5 block list && as_nobody 5 panic || return 1
	chmod 666 "$LAB/run/brain.sock" "$LAB/run/wire.sock"
	as_nobody 5 mode set observe && says err 'may look but not change' && as_nobody 5 panic && as_nobody 5 block add 192.0.2.7 &&
		as_nobody 5 block lift 1 --reason x && as_nobody 5 policy reload && as_nobody 5 suppress add --port 80 --for 1h --reason x && as_nobody 5 suppress remove 1 &&
		as_nobody 5 budget set 1 && as_nobody 5 baseline save && as_nobody 5 baseline export "$LAB/stolen" &&
		as_nobody 3 suppress list && as_nobody 0 suppress try --port 80 && as_nobody 0 budget show && as_nobody 0 mode show && as_nobody 0 status && as_nobody 0 block list
}

policy_copy() {
	cp -r "$here/../../policy" "$LAB/policy"
	sed -i 's/^never_block: .*/never_block: [203.0.113.53, "2001:db8:77::53"]/' "$LAB/policy/network.yaml"
}

lab_need curl ss python3 setpriv tcpdump editcap
lab_begin wire
policy_copy
check "nobody there" nobody_there
check "words that are none" words
wire_start
wait_for 10 lab_reachable
nginx_start
attack_services_start
servers_start
ordinary_clients
teach
check "panic without a brain" panic_without_brain
brain_start advise --policy "$LAB/policy"
check "nothing yet: exit 3" nothing_yet
check "advise: the attack is seen, the block waits for a person" advised
check "advise: what a person has confirmed holds" confirmed_holds
check "alerts, incidents, devices" records
check "explain" explained
check "suppress" suppressing
check "modes" modes
check "budget" budgets
check "baselines" baselines
lab_stop brain
brain_start advise --policy "$LAB/policy"
check "the budget outlives the brain" budget_kept
# From here on people block and nobody else: a brain that has learned nothing has nothing to say about these connections.
lab_stop brain
rm -r "$LAB/state"
brain_start enforce --policy "$LAB/policy"
check "blocks: words" block_words
check "blocks: never-block list" never_block
check "blocks: extend, show" changes
check "blocks: one endpoint, until it is lifted" one_endpoint
check "blocks: IPv6" six
check "blocks: prefix" prefix
check "blocks: IPv6 prefix" prefix_six
check "blocks: UDP" datagrams
check "mode observe refuses nothing and says so" observing
check "panic" panicking
check "policies" policies
check "never-block list, reloaded" never_block_reloaded
check "strangers" strangers
check "panic with the brain dead" panic_with_the_brain_dead
