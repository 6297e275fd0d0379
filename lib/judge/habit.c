// SPDX-License-Identifier: GPL-2.0-or-later
// How often each policy matches on each device, by day, so that a match weighs what it says here and no more: a gateway
// whose trade is to call who has called it does so every day. Days on which the device alarmed are not counted, and each
// day waits another one before it is, as all that is learned (design: nothing of an attack becomes normal).
#include "image.h"
#include "judge_impl.h"

#include "real.h"

#include <stdlib.h>

enum { SECTION_HABITS = 29, DECLARED_DAYS = 14 /* of all devices: so much is what the policy declares worth */ };

struct habit { // of a device
	uint64_t today, yesterday; // bits: policies that matched
	uint16_t days[POLICY_MAX], of;
	uint8_t seen_today, seen_yesterday, zero[4];
};

struct habits {
	uint64_t name[POLICY_MAX];  // of the policy each place is for; 0: none
	uint8_t place[POLICY_MAX];  // of the policies in force
	uint32_t devices[ROLE_COUNT][POLICY_MAX], of[ROLE_COUNT];
	struct habit device[];
};

bool habit_create(struct judge *j)
{
	j->habits = calloc(1, sizeof(*j->habits) + learn_device_capacity(j->learn) * sizeof(j->habits->device[0]));
	if (j->habits)
		habit_set_policies(j);
	return j->habits;
}

void habit_destroy(struct judge *j)
{
	free(j->habits);
}

static uint64_t name_of(const struct policy *p)
{
	struct bytes text = bytes_of_text(p->name);

	return siphash13(&(struct siphash_key){1, 2}, text.at, text.left) | 1;
}

static bool find(const struct habits *h, uint64_t name, unsigned *place)
{
	for (*place = 0; *place < POLICY_MAX; ++*place)
		if (h->name[*place] == name)
			return true;
	return false;
}

static void clear_place(struct judge *j, unsigned place)
{
	struct habits *h = j->habits;

	for (uint32_t i = 0; i < learn_device_capacity(j->learn); i++) {
		h->device[i].days[place] = 0;
		h->device[i].today &= ~(1ull << place);
		h->device[i].yesterday &= ~(1ull << place);
	}
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		h->devices[role][place] = 0;
}

// A policy keeps its place as long as there is one of its name; a new one takes that of one which is gone.
void habit_set_policies(struct judge *j)
{
	struct habits *h = j->habits;
	uint64_t kept = 0;
	unsigned place, free_place = 0;

	for (unsigned i = 0; i < j->policies->count; i++)
		if (find(h, name_of(&j->policies->policy[i]), &place)) {
			h->place[i] = (uint8_t)place;
			kept |= 1ull << place;
		}
	for (unsigned i = 0; i < j->policies->count; i++) {
		if (find(h, name_of(&j->policies->policy[i]), &place))
			continue;
		while (kept >> free_place & 1)
			free_place++;
		if (h->name[free_place])
			clear_place(j, free_place);
		h->name[free_place] = name_of(&j->policies->policy[i]);
		h->place[i] = (uint8_t)free_place;
		kept |= 1ull << free_place;
	}
}
_Static_assert(POLICY_MAX <= 64, "places are bits of a word");

void habit_seen(struct judge *j, const struct device *d)
{
	j->habits->device[d->index].seen_today = 1;
}

struct alert_habit habit_match(struct judge *j, const struct device *d, unsigned policy)
{
	struct habits *h = j->habits;
	unsigned place = h->place[policy];
	struct habit *mine = &h->device[d->index];

	mine->today |= 1ull << place;
	return (struct alert_habit){mine->days[place], mine->of, h->devices[d->role][place], h->of[d->role]};
}

double alert_weight(const struct alert_habit *h, double declared)
{
	double goes_on = (double)h->device_days / ((double)h->device_of + HABIT_DAY);
	double begins = ((double)h->role_devices + DECLARED_DAYS * real_exp2(0 - declared)) * HABIT_DAY /
			((double)h->role_of + DECLARED_DAYS * HABIT_DAY);
	double bits = 0 - real_log2(goes_on + begins);

	return bits < 0 ? 0 : bits < declared ? bits : declared;
}

static uint16_t fade(uint16_t days) // by half in 14 days: 1 − 2^(−1/14) = 0.0483
{
	return (uint16_t)(days - (days * 49u + 1023) / 1024);
}

static void learn_day(struct habit *h)
{
	for (unsigned i = 0; i < POLICY_MAX; i++)
		h->days[i] = (uint16_t)(fade(h->days[i]) + (h->yesterday >> i & 1 ? HABIT_DAY : 0));
	h->of = (uint16_t)(fade(h->of) + HABIT_DAY);
}

void habit_end_day(struct judge *j, const struct device *d, bool alarmed)
{
	struct habit *h = &j->habits->device[d->index];

	if (h->seen_yesterday && !alarmed)
		learn_day(h);
	h->yesterday = h->today;
	h->seen_yesterday = h->seen_today && !alarmed;
	h->today = 0;
	h->seen_today = 0;
}

void habit_sum(struct judge *j)
{
	struct habits *h = j->habits;

	memset(h->devices, 0, sizeof(h->devices));
	memset(h->of, 0, sizeof(h->of));
	for (uint32_t n = 0; n < learn_device_count(j->learn); n++) {
		const struct device *d = learn_device_at(j->learn, n);

		if (!d)
			continue;
		for (unsigned i = 0; i < POLICY_MAX; i++)
			h->devices[d->role][i] += h->device[n].days[i] != 0;
		h->of[d->role] += h->device[n].of;
	}
}

void habit_forget_device(struct judge *j, uint32_t device)
{
	memset(&j->habits->device[device], 0, sizeof(j->habits->device[device]));
}

void habit_forget(struct judge *j)
{
	memset(j->habits, 0, sizeof(*j->habits) + learn_device_capacity(j->learn) * sizeof(j->habits->device[0]));
	habit_set_policies(j);
}

void habit_put(const struct judge *j, struct image *i)
{
	image_section(i, SECTION_HABITS);
	image_append(i, j->habits->name, sizeof(j->habits->name));
	image_append(i, j->habits->device, learn_device_count(j->learn) * sizeof(j->habits->device[0]));
	image_end(i);
}

bool habit_take(struct judge *j, const struct image *i)
{
	struct bytes in = image_find(i, SECTION_HABITS), part;

	habit_forget(j);
	if (in.left == 0)
		return true; // of before there were any
	if (!bytes_take(&in, sizeof(j->habits->name), &part) ||
	    in.left != learn_device_count(j->learn) * sizeof(j->habits->device[0]))
		return false;
	memcpy(j->habits->name, part.at, part.left);
	if (in.left)
		memcpy(j->habits->device, in.at, in.left);
	habit_set_policies(j);
	habit_sum(j);
	return true;
}
