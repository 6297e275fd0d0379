# SPDX-License-Identifier: GPL-2.0-or-later
# The table of rooms: the one place where it is written down who may include whom. check-wall proves that the build holds it,
# check-arrows that the sources keep it; doc/architecture quotes it. Sourced after lib.sh.
# shellcheck shell=bash disable=SC2034,SC2154

# room: the rooms whose headers it may include (its own goes without saying)
declare -A may_include=(
	[lib/base]=""
	[lib/channel]="lib/base"
	[lib/control]="lib/base"
	# wire side
	[lib/decode]="lib/base"
	[lib/defrag]="lib/base lib/decode"
	[lib/flow]="lib/base lib/decode"
	[lib/proto]="lib/base lib/channel"
	[lib/block]="lib/base lib/channel lib/decode"
	[lib/inspect]="lib/base lib/channel lib/decode lib/defrag lib/flow lib/proto lib/block"
	# far side
	[lib/estimate]="lib/base"
	[lib/learn]="lib/base lib/channel lib/estimate"
	[lib/judge]="lib/base lib/channel lib/estimate lib/learn"
	[lib/incident]="lib/base lib/channel lib/estimate lib/learn lib/judge"
	[lib/respond]="lib/base lib/channel lib/estimate lib/learn lib/judge lib/incident"
	[lib/journal]="lib/base lib/channel lib/estimate lib/learn lib/judge lib/incident lib/respond"
	[lib/story]="lib/base lib/channel lib/estimate lib/learn lib/judge lib/incident lib/respond"
	[lib/reason]="lib/base lib/channel lib/estimate lib/learn lib/judge lib/incident lib/respond lib/journal lib/story"
	[drivers/nic]="lib/base lib/decode"
	[drivers/fence]="lib/base lib/channel"
	[drivers/export]="lib/base lib/channel lib/estimate lib/learn lib/judge lib/incident lib/respond"
)
wire_side="lib/decode lib/defrag lib/flow lib/proto lib/block lib/inspect"
far_side="lib/estimate lib/learn lib/judge lib/incident lib/respond lib/journal lib/story lib/reason"
# programs
may_include[app/wire]="lib/base lib/channel lib/control $wire_side drivers/nic"
may_include[app/brain]="lib/base lib/channel lib/control $far_side drivers/export drivers/fence"
may_include[app/cli]="lib/base lib/channel lib/control $wire_side $far_side drivers/nic drivers/export"
may_include[app/generate]="lib/base"
may_include[app/evaluate]="lib/base lib/channel $wire_side $far_side app/generate"
may_include[app/bench]="lib/base lib/channel app/generate $wire_side $far_side drivers/nic drivers/export"

# foreign header (as a regular expression on the name between < >): the only rooms that may include it
declare -A foreign=(
	['rte_']="drivers/nic app/wire"
	['hs(_[a-z]+)?[.]h|hs/']="drivers/match"
	['libmnl/|libnftnl/|linux/netfilter']="drivers/fence"
	['sqlite3']="lib/journal"
	['yaml[.]h']="lib/judge lib/story"
	['pcap']="drivers/nic"
	['nettle/']="lib/base"
	['nghttp2/']="lib/proto"
	['zlib[.]h']="lib/proto"
	['libsmartcols']="app/cli"
	['protobuf-c/']="lib/control"
)
# generated headers, wherever they are found
generated='[.]pb-c[.]h'
generated_only="lib/control app/wire app/brain app/cli"

# Public functions of a room start with the room's name or their header's; beyond that, these.
declare -A prefixes=(
	[lib/base]="base64 image bytes count counter duration log prefix siphash13 siphash24 time"
	[lib/channel]="app brain_sheet direction fact file_kind filter ldap_operation mode name_to_index ring sheet verdict wire_sheet"
	[lib/decode]="checksum" # the arithmetic of RFC 1071, for whoever builds a packet
	[lib/judge]="phase response suppression"
	[lib/learn]="dayset device feature recent role"
	[lib/proto]="file_class file inflate jndi ja4 lend self_address_in"
	[lib/respond]="block_state"
	[lib/story]="page"
	[drivers/nic]="nic pcap_port pcap_sink setsockopt" # setsockopt: stands before libc's on purpose (kernel.h)
	[drivers/fence]="fence"
	[drivers/export]="eve"
)

# Folders of rooms that exist and hold a C file, in the order of the table's arrows as far as sort gives it.
rooms() {
	local room
	for room in "${!may_include[@]}"; do
		compgen -G "$top/$room/*.[ch]" >/dev/null && echo "$room"
	done | sort
}

has_word() { # WORD LIST
	case " $2 " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

# The header by which others know a room: its namesake, else the first that is not private.
header_of_room() {
	local name=${1##*/} header
	[ -f "$top/$1/$name.h" ] && { echo "$name.h"; return; }
	for header in "$top/$1"/*.h; do
		case "$header" in *_impl.h | */'*.h') ;; *) basename "$header"; return ;; esac
	done
}

# "room<TAB>-I… -D… -std…": all that the build compiles any file of the room with, include paths absolute.
flags_of_rooms() { # BUILD
	python3 - "$1" "$top" <<'PY'
import json, os, shlex, sys
build, top = sys.argv[1], sys.argv[2]
rooms = {}
for entry in json.load(open(build + "/compile_commands.json")):
    room = os.path.relpath(os.path.dirname(os.path.join(entry["directory"], entry["file"])), top)
    words, keep = shlex.split(entry["command"]), rooms.setdefault(room, {})
    for i, word in enumerate(words):
        if word.startswith("-I") and len(word) > 2:
            keep["-I" + os.path.normpath(os.path.join(entry["directory"], word[2:]))] = True
        elif word.startswith("-isystem") and len(word) > 8:
            keep["-isystem" + os.path.join(entry["directory"], word[8:])] = True
        elif word in ("-isystem", "-I"):
            keep[word + os.path.join(entry["directory"], words[i + 1])] = True
        elif word.startswith(("-D", "-std=", "-march=")) and "FORTIFY" not in word:
            keep[word] = True
for room, keep in rooms.items():
    print(room + "\t" + shlex.join(keep))
PY
}
