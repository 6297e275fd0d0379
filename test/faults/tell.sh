# SPDX-License-Identifier: GPL-2.0-or-later
# For the scripts here that wait for what is to come, in the Test Anything Protocol: `tell WHAT COMMAND...`, and `tell_end` at the end.
n=0
bad=0

tell() { # tell WHAT COMMAND...: within eight seconds
	local what=$1 i
	shift
	n=$((n + 1))
	for i in {1..80}; do
		if "$@" >/dev/null 2>&1; then
			echo "ok $n - $what"
			return
		fi
		sleep 0.1
	done
	echo "not ok $n - $what"
	bad=1
}

tell_end() {
	echo "1..$n"
	exit "$bad"
}
