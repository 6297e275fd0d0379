// SPDX-License-Identifier: GPL-2.0-or-later
// What would have been otherwise: the same observations judged by two sets of policies from the same learned state, in
// observe. Blocks and alerts of one and not of the other, and the ordinary flows each set of blocks would have refused.
// One thread.
#pragma once
#include "reason.h"

enum compare_side { COMPARE_NEW, COMPARE_OLD, COMPARE_SIDES };

struct compare;
// Alarms a day that an image was made with; 0: none, or it cannot be read.
double compare_budget(const char *learned);
// Creates OLD's judge; NEW's is the caller's, whose hooks tell compare_alert and compare_block. learned: image both begin
// with, may be NULL. NULL with a message.
struct compare *compare_create(const char *old_policies, const char *learned, double alarms_per_day, char error[512]);
void compare_destroy(struct compare *c);
void compare_begin(struct compare *c, uint64_t unix_ns); // with the first frame
// Before NEW's judge has it: is the pair known to the baseline? `learn` is NEW's.
void compare_observe(struct compare *c, const struct observation *o, struct learn *learn);
void compare_step(struct compare *c, uint64_t unix_ns);
void compare_alert(struct compare *c, enum compare_side side, const struct alert *a);
void compare_block(struct compare *c, enum compare_side side, const struct block *b);
// In words, to stdout.
void compare_print(struct compare *c);
