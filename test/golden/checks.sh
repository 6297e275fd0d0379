# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests here that check one thing after the other, in the Test Anything Protocol: `check TEXT COMMAND...`, and `checks_end` at the end.
# $work is a folder of their own; what a command leaves in $work/out and $work/err is shown where it failed.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
failed=0

check() { # TEXT COMMAND...
	number=$((number + 1))
	if "${@:2}" >"$work/said" 2>&1; then echo "ok $number - $1"; else
		echo "not ok $number - $1"
		tail -n 5 "$work/said" "$work/out" "$work/err" 2>/dev/null | sed 's/^/# /'
		failed=1
	fi
}

checks_end() {
	echo "1..$number"
	exit "$failed"
}
