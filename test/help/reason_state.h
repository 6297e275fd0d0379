// SPDX-License-Identifier: GPL-2.0-or-later
// What the far side needs to stand: the shipped policies, a sheet, counters, and a folder of its own that goes with the
// test.
#pragma once
#include "reason.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct reason *reason;
static struct policy_set *policies;
static struct brain_sheet *sheet;
static struct counters counters;
static char state[64];

static inline void state_begin(const char *template) // ends in XXXXXX
{
	char error[POLICY_ERROR_BYTES];

	strcpy(state, template);
	ck_assert_ptr_nonnull(mkdtemp(state));
	policies = policy_load(SEKIMORI_SOURCE_DIR "/policy", error);
	ck_assert_msg(policies != NULL, "%s", error);
	sheet = calloc(1, sizeof(*sheet));
	brain_sheet_init(sheet);
	counters = (struct counters){0};
}

static int state_remove(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	return at->level ? remove(path) : 0;
}

// Its folder is there, and nothing in it.
static inline void state_empty(void)
{
	nftw(state, state_remove, 4, FTW_DEPTH | FTW_PHYS);
}

static inline void state_end(void)
{
	reason_destroy(reason);
	policy_free(policies);
	free(sheet);
	state_empty();
	rmdir(state);
}
