# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the scripts; sourced, never run. Defines: top, jobs, and the functions below.
# shellcheck shell=bash disable=SC2034
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)

heading() { printf '\n== %s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# Runs a command silently; shows what it printed only when it fails.
quietly() {
	local log status=0
	log=$(mktemp)
	"$@" >"$log" 2>&1 || status=$?
	[ "$status" = 0 ] || cat "$log" >&2
	rm -f "$log"
	return "$status"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null; then sudo "$@"
	else fail "needs root: $*"
	fi
}

# configure FOLDER OPTION...: a build folder with exactly these options; another one of that name makes way.
configure() {
	local folder=$1 wanted
	shift
	wanted=$(printf '%s\n' "$top" "${CC:-cc}" "$@")
	[ ! -f "$folder/build.ninja" ] || [ "$(cat "$folder/options" 2>/dev/null)" != "$wanted" ] || return 0
	rm -rf "$folder"
	quietly meson setup "$folder" "$top" "$@" && echo "$wanted" >"$folder/options"
}

compile() { # FOLDER TARGET...
	local folder=$1
	shift
	quietly ninja --quiet -C "$folder" -k 0 "$@"
}

# The build that the checks look at and the end-to-end tests run: optimised, no sanitizers, warnings are errors.
release=$top/build-release
release_build() { configure "$release" -Dbuildtype=release && compile "$release"; }

# A check is given a folder that is built, or builds one.
build_of_check() {
	if [ $# -gt 0 ]; then (cd "$1" && pwd)
	else release_build >&2 && echo "$release"
	fi
}

# A check prints what it found wrong, one finding a line; this says the sum and gives the status.
check_ends() { # FINDINGS-FILE WHAT-WAS-LOOKED-AT
	local found
	found=$(wc -l <"$1")
	cat "$1"
	rm -f "$1"
	if [ "$found" = 0 ]; then echo "$(basename "$0"): $2"
	else echo "$(basename "$0"): $found found wrong"; return 1
	fi
}
