#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The wire is transparent: both families, files of all sizes, without a brain and with one.
#
#   attacker eth0 ──── outside [sekimori-wire] inside ──── eth0 dmz
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lab.sh"
. "$here/lab_services.sh"
. "$here/sekimori.sh"

file_arrives() {
	client_get "/$1" | cmp - "$LAB/nginx/files/$1"
}

page_over_six() {
	in_attacker curl -sS --fail --max-time 5 "http://[$LAB_DMZ_ADDRESS6]:$LAB_HTTP_PORT/" | grep -q 'an ordinary page'
}

lab_need curl cmp ss python3
lab_begin wire
wire_start
check "both families reach the other end without a brain" wait_for 10 lab_reachable
nginx_start
for file in 1k 64k 1m 16m; do
	check "$file arrives whole" file_arrives "$file"
done
brain_start enforce
check "a page over IPv6" page_over_six
for file in 1k 64k 1m 16m; do
	check "$file arrives whole with a brain that enforces" file_arrives "$file"
done
check "nothing was dropped" test "$(wire_counter frames_dropped_block)$(wire_counter frames_dropped_cut)$(wire_counter frames_dropped_checksum)" = 000
check "status answers" cli status
