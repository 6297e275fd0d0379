// SPDX-License-Identifier: GPL-2.0-or-later
// The scorer's state as sections of an image: samples, evidence, budgets.
#include "image.h"
#include "judge_impl.h"

#include <errno.h>

enum { SECTION_JUDGE = 16, SECTION_EVIDENCE, SECTION_SAMPLES, SECTION_PENDING, SECTION_OWN };

struct store_judge {
	uint64_t day, first_ns;
	uint32_t evidence_today, watches;
	double alarms_per_day;
	struct budget budget[ROLE_COUNT], block_budget;
};

static void put_samples(const struct judge *j, struct image *i)
{
	for (unsigned role = 0; role < SAMPLES; role++)
		for (unsigned class = 1; class < SCORE_CLASSES; class++) {
			const struct conformal *c = j->sample[role][class];
			uint64_t n = conformal_image_bytes(c);
			uint8_t *room;

			image_append(i, &n, sizeof(n));
			room = image_room(i, n);
			if (room)
				conformal_image(c, room);
		}
}

void judge_put(const struct judge *j, struct image *i)
{
	struct store_judge head;
	uint8_t *room;

	memset(&head, 0, sizeof(head));
	head.day = j->day;
	head.first_ns = j->first_ns;
	head.evidence_today = j->evidence_today;
	head.watches = learn_device_count(j->learn);
	head.alarms_per_day = j->alarms_per_day;
	memcpy(head.budget, j->budget, sizeof(head.budget));
	head.block_budget = j->block_budget;
	image_section(i, SECTION_JUDGE);
	image_append(i, &head, sizeof(head));
	image_append(i, j->watch, head.watches * sizeof(*j->watch));
	image_end(i);
	image_section(i, SECTION_EVIDENCE);
	room = image_room(i, evidence_image_bytes(j->evidence));
	if (room)
		evidence_image(j->evidence, room);
	image_end(i);
	image_section(i, SECTION_SAMPLES);
	put_samples(j, i);
	image_end(i);
	image_section(i, SECTION_PENDING);
	calibrate_put_pending(j, i);
	image_end(i);
	image_section(i, SECTION_OWN);
	image_append(i, j->own_scores, learn_device_count(j->learn) * sizeof(*j->own_scores));
	image_end(i);
	habit_put(j, i);
	short_put_judge(j, i);
}

static bool budgets_check(const struct store_judge *head)
{
	if (head->alarms_per_day == 0) // none was set
		return true;
	if (!(head->alarms_per_day > 0 && head->alarms_per_day <= BUDGET_MOST) || !budget_check(&head->block_budget))
		return false;
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		if (!budget_check(&head->budget[r]) || head->budget[r].days != head->budget[0].days)
			return false;
	return true;
}

static bool take_head(struct judge *j, struct bytes in)
{
	struct store_judge head;
	struct bytes part;

	if (!bytes_take(&in, sizeof(head), &part))
		return false;
	memcpy(&head, part.at, sizeof(head));
	if (head.watches > learn_device_count(j->learn) || in.left != head.watches * sizeof(*j->watch) ||
	    !budgets_check(&head))
		return false;
	memcpy(j->watch, in.at, in.left);
	for (uint32_t i = 0; i < head.watches; i++)
		if (j->watch[i].asked > BUDGET_GROUP)
			return false;
	j->day = head.day;
	j->first_ns = head.first_ns;
	j->evidence_today = head.evidence_today != 0;
	// What the user asks for today counts, not what was asked then.
	if (alarm_has_budget(j) && head.alarms_per_day > 0) {
		double alarms = j->alarms_per_day, blocks = j->block_budget.per_day;

		memcpy(j->budget, head.budget, sizeof(j->budget));
		j->block_budget = head.block_budget;
		shares_refresh(j);
		j->alarms_per_day = head.alarms_per_day;
		if (alarms != head.alarms_per_day || blocks != head.block_budget.per_day)
			alarm_set_budget(j, alarms, blocks);
	}
	return true;
}

static bool take_samples(struct judge *j, struct bytes in)
{
	for (unsigned role = 0; role < SAMPLES; role++)
		for (unsigned class = 1; class < SCORE_CLASSES; class++) {
			struct bytes part;
			uint64_t n;

			if (!bytes_take(&in, sizeof(n), &part))
				return false;
			memcpy(&n, part.at, sizeof(n));
			if (!bytes_take(&in, n, &part) ||
			    !conformal_restore(j->sample[role][class], part.at, part.left))
				return false;
		}
	return in.left == 0;
}

static bool take_own(struct judge *j, struct bytes in)
{
	if (in.left != learn_device_count(j->learn) * sizeof(*j->own_scores))
		return false;
	if (in.left)
		memcpy(j->own_scores, in.at, in.left);
	for (uint32_t d = 0; d < learn_device_count(j->learn); d++)
		for (unsigned class = 0; class < SCORE_CLASSES; class++)
			if (j->own_scores[d].held[class] > OWN_SAMPLE)
				return false;
	return true;
}

// As newly created, but for the budgets the user asks for. Nothing that was given out is kept by others.
static bool forget(struct judge *j)
{
	calibrate_destroy(j);
	memset(j->sample, 0, sizeof(j->sample));
	memset(j->watch, 0, j->evidence_config.devices * sizeof(*j->watch));
	j->day = j->first_ns = j->latest_ns = j->behind_ns = 0;
	j->evidence_today = false;
	alarm_forget(j);
	habit_forget(j);
	short_forget_judge(j);
	return calibrate_create(j);
}

int judge_take(struct judge *j, const struct image *i)
{
	struct bytes evidence = image_find(i, SECTION_EVIDENCE);

	if (!forget(j)) // it may have judged by other days
		return -ENOMEM;
	if (take_head(j, image_find(i, SECTION_JUDGE)) &&
	    evidence_restore(j->evidence, evidence.at, evidence.left) && take_samples(j, image_find(i, SECTION_SAMPLES)) &&
	    calibrate_take_pending(j, image_find(i, SECTION_PENDING)) && take_own(j, image_find(i, SECTION_OWN)) &&
	    habit_take(j, i) && short_take_judge(j, i))
		return 0;
	return forget(j) ? -EPROTO : -ENOMEM;
}

bool judge_image_budget(const struct image *i, struct judge_budget *out)
{
	struct bytes in = image_find(i, SECTION_JUDGE), part;
	struct store_judge head;

	*out = (struct judge_budget){.block_threshold = INT64_MAX};
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		out->role[r].threshold = INT64_MAX;
	if (!bytes_take(&in, sizeof(head), &part))
		return false;
	memcpy(&head, part.at, sizeof(head));
	if (!budgets_check(&head) || head.alarms_per_day <= 0)
		return false;
	shares_tell(head.alarms_per_day, head.budget, out);
	out->blocks_per_day = head.block_budget.per_day;
	out->block_threshold = head.block_budget.threshold;
	return true;
}
