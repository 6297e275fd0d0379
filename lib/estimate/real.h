// SPDX-License-Identifier: GPL-2.0-or-later
// Logarithm and power of two that give the same bits everywhere. The C library's log2 and exp2 are chosen by the
// processor at start (with or without fused multiply-add) and differ in the last digit between machines and versions;
// an alert must be recomputable on any of them. Only + - * / on doubles in a fixed order, each correctly rounded by
// IEEE 754, so two machines cannot disagree. Absolute error of log2 ≤ 2^-50 × max(1, |result|), relative error of exp2
// ≤ 2^-49 (test/unit/estimate_test.c). Knows nothing of what is estimated. No state; any thread.
#pragma once

#define REAL_LN2 0.69314718055994530942
#define REAL_LOG2_OF_NOTHING (-1075.0) // below every positive double

double real_log2(double x); // x ≤ 0 or not a number: REAL_LOG2_OF_NOTHING; infinity: 1024
double real_exp2(double x); // 0 below -1074, infinity from 1024 on
double real_sqrt(double x); // x ≤ 0: 0
