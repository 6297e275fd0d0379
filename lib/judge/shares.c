// SPDX-License-Identifier: GPL-2.0-or-later
// The user's budget of alarms, shared among roles. What is odd among people's devices would set a threshold far above
// anything a server ever shows, so each role keeps a threshold and a budget of its own: a share that grows with the root
// of how many devices it has, between the same for each role and the same for each device.
#include "judge_impl.h"

#include "real.h"

enum {
	CALIBRATED_DAYS = 4, // that must have ended before a threshold is more than a guess
	FEWEST_PEAKS = 20,   // of device and day a threshold rests on; before, the highest of the others' counts
};

static void count_roles(const struct judge *j, uint32_t devices[ROLE_COUNT])
{
	memset(devices, 0, ROLE_COUNT * sizeof(*devices));
	for (uint32_t i = 0; i < learn_device_count(j->learn); i++) {
		const struct device *d = learn_device_at(j->learn, i);

		if (d)
			devices[d->role]++;
	}
}

static void share(const struct judge *j, double out[ROLE_COUNT])
{
	uint32_t devices[ROLE_COUNT];
	double sum = 0;

	count_roles(j, devices);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		sum += out[r] = real_sqrt((double)devices[r]);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		out[r] = j->alarms_per_day * (sum > 0 ? out[r] / sum : 1.0 / ROLE_COUNT);
}

static int64_t threshold(const struct budget budget[ROLE_COUNT], unsigned role)
{
	int64_t most = INT64_MIN;

	if (budget_peaks(&budget[role]) >= FEWEST_PEAKS)
		return budget[role].threshold;
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		if (budget_peaks(&budget[r]) >= FEWEST_PEAKS && budget[r].threshold > most)
			most = budget[r].threshold;
	return most == INT64_MIN ? INT64_MAX : most;
}

void shares_refresh(struct judge *j)
{
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		j->threshold[r] = threshold(j->budget, r);
}

static void give(struct judge *j, double per_day, void (*to)(struct budget *b, double per_day))
{
	double of[ROLE_COUNT];

	j->alarms_per_day = per_day < BUDGET_MOST ? per_day : BUDGET_MOST;
	share(j, of);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		to(&j->budget[r], of[r]);
	shares_refresh(j);
}

void shares_begin(struct judge *j, double per_day)
{
	give(j, per_day, budget_begin);
}

void shares_change(struct judge *j, double per_day)
{
	give(j, per_day, budget_change);
}

// Devices have come and gone: shares follow, debts stay.
void shares_end_day(struct judge *j, enum budget_day day)
{
	give(j, j->alarms_per_day, budget_share);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		budget_end_day(&j->budget[r], day);
	shares_refresh(j);
}

bool shares_are_calibrated(const struct judge *j)
{
	return j->alarms_per_day > 0 && j->budget[0].days >= CALIBRATED_DAYS && j->threshold[0] != INT64_MAX;
}

// Of independent parts: the whole's variance is the sum of theirs, as its rate is.
static double error_of(const struct budget budget[ROLE_COUNT])
{
	double peaks = 0;

	for (unsigned r = 0; r < ROLE_COUNT; r++)
		peaks += 1 / (budget_error(&budget[r]) * budget_error(&budget[r]));
	return peaks > 0 ? 1 / real_sqrt(peaks) : 1;
}

void shares_tell(double per_day, const struct budget budget[ROLE_COUNT], struct judge_budget *out)
{
	out->alarms_per_day = per_day;
	out->error = error_of(budget);
	out->days = budget[0].days;
	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		const struct budget *b = &budget[r];

		out->role[r] = (struct judge_share){b->per_day, threshold(budget, r), b->alarms, b->debt};
		out->today += b->alarms;
		out->grouped += b->grouped;
		out->debt += b->debt;
	}
}
