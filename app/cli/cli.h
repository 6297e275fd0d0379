// SPDX-License-Identifier: GPL-2.0-or-later
// What the files of the CLI share. Exit codes are part of the interface (sekimori --help).
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum cli_exit { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NOTHING = 3, EXIT_UNREACHABLE = 4, EXIT_REFUSED = 5, EXIT_CONFIRM = 6 };

// One noun, one function; argv[0] is the noun. Returns enum cli_exit.
int cli_replay(int argc, char **argv);
// Stored alerts judged again by other policies; old may be NULL (rejudge.c).
int replay_journal(const char *folder, const char *policy, const char *old);
int cli_run(int argc, char **argv);
