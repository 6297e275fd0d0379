// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

// `sekimori-bench generate ...`: argv[0] is "generate". Returns the exit status.
int generate_main(int argc, char **argv);
