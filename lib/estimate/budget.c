// SPDX-License-Identifier: GPL-2.0-or-later
// The alarm budget's controller. One thread.
#include "budget.h"

#include "real.h"

#include <string.h>

enum { LEAST_SURGE = 5, TAIL = 16 };
// The tail's end is at most 745 mean excesses (ln of the least double) beyond the largest peak: it stays below 2^63.
#define MOST_PEAK (1ll << 52)
#define MOST_DAYS (1u << 20) // an age of the world; far from where the count of days would begin again
#define LEAST_PER_DAY 0.001 // a share of the least a user may ask for
#define DEBT_DAYS 5.0
#define FEWEST_ALARMS 5.0 // fewer say nothing about a rate: to follow them would be to follow chance
#define MOST_CORRECTION 2.0 // bits: a factor of 4

static double within_bounds(double per_day)
{
	return per_day > BUDGET_MOST ? BUDGET_MOST : per_day > LEAST_PER_DAY ? per_day : LEAST_PER_DAY;
}

void budget_begin(struct budget *b, double per_day)
{
	memset(b, 0, sizeof(*b));
	b->per_day = within_bounds(per_day);
	b->half_life = 14;
	b->surge = 5;
	b->step = 1000000;
	b->threshold = INT64_MAX;
}

static bool is_in_order(const int64_t *highest_first, uint32_t n)
{
	if (n > BUDGET_PEAKS)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (highest_first[i] > (i ? highest_first[i - 1] : MOST_PEAK) || highest_first[i] < -MOST_PEAK)
			return false;
	return true;
}

bool budget_check(const struct budget *b)
{
	double most = DEBT_DAYS * BUDGET_MOST * MOST_CORRECTION * REAL_LN2;

	// A comparison with what is no number is false.
	if (!(b->per_day >= LEAST_PER_DAY && b->per_day <= BUDGET_MOST && b->half_life > 0 &&
	      b->half_life <= MOST_DAYS && b->debt >= -most && b->debt <= most) ||
	    b->surge > UINT16_MAX || b->step < 0 || b->threshold < -MOST_PEAK || b->confirmed > b->alarms ||
	    b->days > MOST_DAYS || !is_in_order(b->today, b->held))
		return false;
	for (uint32_t day = 0; day < BUDGET_DAYS; day++)
		if (!is_in_order(b->peak[day], b->count[day]) || (day >= b->days && b->count[day]))
			return false;
	return true;
}

static uint32_t most_in_a_day(const struct budget *b)
{
	uint32_t n = (uint32_t)(b->per_day * (double)b->surge);

	return n > LEAST_SURGE ? n : LEAST_SURGE;
}

enum budget_word budget_ask(struct budget *b, int64_t threshold, int64_t level)
{
	if (level <= threshold)
		return BUDGET_QUIET;
	if (b->alarms >= most_in_a_day(b)) {
		b->grouped++;
		return BUDGET_GROUP;
	}
	b->alarms++;
	return BUDGET_ALARM;
}

void budget_withdraw(struct budget *b)
{
	b->alarms -= b->alarms > b->confirmed;
}

void budget_confirm(struct budget *b)
{
	b->confirmed += b->confirmed < b->alarms;
}

static void insert(int64_t *highest_first, uint32_t *held, int64_t x)
{
	uint32_t i = *held;

	if (i == BUDGET_PEAKS) {
		if (x <= highest_first[i - 1])
			return;
		i--;
	} else {
		++*held;
	}
	for (; i && highest_first[i - 1] < x; i--)
		highest_first[i] = highest_first[i - 1];
	highest_first[i] = x;
}

void budget_peak(struct budget *b, int64_t level)
{
	level = level < MOST_PEAK ? level : MOST_PEAK;
	insert(b->today, &b->held, level > -MOST_PEAK ? level : -MOST_PEAK);
}

// A surge leaves no more than it may of what passed the threshold; which of them does not matter above it. While it is
// trained there are no alarms and so no surges, and the threshold is a guess: what passes one that two quiet days set is
// what it has to learn from.
static void keep_today(struct budget *b, enum budget_day day)
{
	uint32_t at = b->days % BUDGET_DAYS, above = 0, skipped;

	while (day != BUDGET_TRAINED && above < b->held && b->today[above] > b->threshold)
		above++;
	skipped = above > most_in_a_day(b) ? above - most_in_a_day(b) : 0;
	b->count[at] = b->held - skipped;
	memcpy(b->peak[at], b->today + skipped, b->count[at] * sizeof(*b->today));
	b->held = 0;
	b->days++;
}

static uint32_t days_held(const struct budget *b)
{
	return b->days < BUDGET_DAYS ? b->days : BUDGET_DAYS;
}

static double weight_of_age(const struct budget *b, uint32_t age)
{
	return real_exp2(0 - (double)age / b->half_life);
}

static double weight_of_all(const struct budget *b)
{
	double sum = 0;

	for (uint32_t age = 0; age < days_held(b); age++)
		sum += weight_of_age(b, age);
	return sum;
}

// The next lower peak of all days: each day's are in order already, so their heads are compared.
static bool next_peak(const struct budget *b, uint32_t taken[BUDGET_DAYS], int64_t *level, uint32_t *age)
{
	bool any = false;

	for (uint32_t a = 0; a < days_held(b); a++) {
		uint32_t at = (b->days - 1 - a) % BUDGET_DAYS;

		if (taken[a] < b->count[at] && (!any || b->peak[at][taken[a]] > *level)) {
			*level = b->peak[at][taken[a]];
			*age = a;
			any = true;
		}
	}
	if (any)
		taken[*age]++;
	return any;
}

// Above all that was seen: as far as an exponential tail through the largest says.
static int64_t beyond(const struct budget *b, double expected)
{
	uint32_t taken[BUDGET_DAYS] = {0}, age = 0, n = 0;
	int64_t top = 0, level = 0;
	double sum = 0;

	for (; n <= TAIL && next_peak(b, taken, &level, &age); n++) {
		top = n ? top : level;
		sum += (double)level;
	}
	if (n < 2)
		return top;
	sum = (sum - (double)n * (double)level) / (double)(n - 1); // mean excess over the last
	return top - (int64_t)(sum * real_log2(expected) * REAL_LN2);
}

static int64_t level_for(const struct budget *b, double rate)
{
	uint32_t taken[BUDGET_DAYS] = {0}, age = 0;
	double target = rate * weight_of_all(b), passed = 0;
	int64_t level = 0, above = INT64_MAX;

	if (target < 1)
		return beyond(b, target);
	while (next_peak(b, taken, &level, &age)) {
		double weight = weight_of_age(b, age);

		if (passed + weight > target && above != INT64_MAX)
			return level + (int64_t)((double)(above - level) * (1 - (target - passed) / weight));
		passed += weight;
		above = level;
	}
	return level; // fewer peaks than alarms are wanted: the lowest of them
}

// The wanted rate halves with each so many alarms owed.
static double patience(const struct budget *b)
{
	double alarms = DEBT_DAYS * b->per_day;

	return (alarms > FEWEST_ALARMS ? alarms : FEWEST_ALARMS) * REAL_LN2;
}

static void pay(struct budget *b)
{
	double most = patience(b) * MOST_CORRECTION;

	b->debt += (double)(b->alarms - b->confirmed) - b->per_day;
	b->debt = b->debt > most ? most : b->debt < -most ? -most : b->debt;
}

void budget_end_day(struct budget *b, enum budget_day day)
{
	int64_t level, before = b->threshold;

	if (day == BUDGET_LIVE)
		pay(b);
	b->alarms = b->grouped = b->confirmed = 0;
	keep_today(b, day);
	level = level_for(b, b->per_day * real_exp2(0 - b->debt / patience(b)));
	if (day == BUDGET_LIVE && before != INT64_MAX && level > before && level - before > b->step)
		level = before + b->step;
	b->threshold = level;
}

void budget_change(struct budget *b, double per_day)
{
	b->per_day = within_bounds(per_day);
	b->debt = 0;
	if (b->days)
		b->threshold = level_for(b, b->per_day);
}

void budget_share(struct budget *b, double per_day)
{
	b->per_day = within_bounds(per_day);
}

uint32_t budget_peaks(const struct budget *b)
{
	uint32_t sum = 0;

	for (uint32_t age = 0; age < days_held(b); age++)
		sum += b->count[age];
	return sum;
}

double budget_error(const struct budget *b)
{
	double expected = b->per_day * weight_of_all(b);

	return expected > 0 ? 1 / real_sqrt(expected) : 1e9;
}
