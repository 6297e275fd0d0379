// SPDX-License-Identifier: GPL-2.0-or-later
// The judge's short memory as sections of an image: what was told lately and is not told again, whose pairs are not
// learned, whom devices called, what they are called, what was uploaded to them. The last requests stay out: they are large and live for seconds,
// so an answer that comes after a restart has lost its request's address and program.
#include "image.h"
#include "judge_impl.h"

enum {
	SECTION_SHORT = 21,
	SECTION_THROTTLES,
	SECTION_SUSPECTS,
	SECTION_PAST,
	SECTION_CALLED,
	SECTION_ASKED,
	SECTION_NAMES,
	SECTION_SCORED // 29 is habit.c's, 30 and 31 are uploads.c's
};

struct store_short {
	uint64_t policies; // names them: throttles and past alerts mean policies by number
	uint64_t baseline_day;
	char baseline[24];
	uint32_t past_next, zero;
};

uint64_t short_policies_name(const struct policy_set *set)
{
	uint64_t name = 0;

	for (unsigned i = 0; i < set->count; i++) {
		struct bytes text = bytes_of_text(set->policy[i].name);
		struct siphash_key key = {name, i};

		name = siphash13(&key, text.at, text.left);
	}
	return name;
}

static void put_table(struct image *i, uint32_t id, const void *table, uint64_t count, size_t size)
{
	image_section(i, id);
	image_append_table(i, table, count, size);
	image_end(i);
}

void short_put_judge(const struct judge *j, struct image *i)
{
	struct store_short head;

	memset(&head, 0, sizeof(head));
	head.policies = short_policies_name(j->policies);
	head.baseline_day = j->baseline_day;
	memcpy(head.baseline, j->baseline, sizeof(j->baseline));
	head.past_next = j->past_next;
	image_section(i, SECTION_SHORT);
	image_append(i, &head, sizeof(head));
	image_end(i);
	put_table(i, SECTION_THROTTLES, j->throttles, THROTTLES, sizeof(*j->throttles));
	put_table(i, SECTION_SUSPECTS, j->suspects, THROTTLES, sizeof(*j->suspects));
	put_table(i, SECTION_PAST, j->past, PAST_ALERTS, sizeof(*j->past));
	put_table(i, SECTION_ASKED, j->asked, ASKED, sizeof(*j->asked));
	image_section(i, SECTION_CALLED);
	contacts_put(j->called, i);
	image_end(i);
	image_section(i, SECTION_NAMES);
	own_put(j->own, i);
	image_end(i);
	uploads_put(j->uploads, i);
	image_section(i, SECTION_SCORED);
	dayset_put(j->scored, i);
	image_end(i);
}

static bool take_head(struct judge *j, struct bytes in, bool *same)
{
	struct store_short head;

	*same = false;
	if (in.left == 0)
		return true;
	if (in.left != sizeof(head))
		return false;
	memcpy(&head, in.at, sizeof(head));
	if (head.past_next >= PAST_ALERTS || head.baseline[sizeof(j->baseline) - 1])
		return false;
	j->past_next = head.past_next;
	j->baseline_day = head.baseline_day;
	memcpy(j->baseline, head.baseline, sizeof(j->baseline));
	*same = head.policies == short_policies_name(j->policies);
	return true;
}

// What was told by other policies says nothing of these.
static bool take_told(struct judge *j, const struct image *i)
{
	if (!image_take_table(image_find(i, SECTION_THROTTLES), j->throttles, THROTTLES, sizeof(*j->throttles)) ||
	    !image_take_table(image_find(i, SECTION_PAST), j->past, PAST_ALERTS, sizeof(*j->past)))
		return false;
	for (unsigned n = 0; n < PAST_ALERTS; n++)
		if (j->past[n].policy >= POLICY_MAX || j->past[n].family >= POLICY_MAX)
			return false;
	return true;
}

bool short_take_judge(struct judge *j, const struct image *i)
{
	bool same;

	short_forget_judge(j);
	return take_head(j, image_find(i, SECTION_SHORT), &same) && (!same || take_told(j, i)) &&
	       image_take_table(image_find(i, SECTION_SUSPECTS), j->suspects, THROTTLES, sizeof(*j->suspects)) &&
	       image_take_table(image_find(i, SECTION_ASKED), j->asked, ASKED, sizeof(*j->asked)) &&
	       contacts_take(j->called, image_find(i, SECTION_CALLED)) && own_take(j->own, image_find(i, SECTION_NAMES)) &&
	       uploads_take(j->uploads, i) &&
	       dayset_take(j->scored, image_find(i, SECTION_SCORED));
}

void short_forget_judge(struct judge *j)
{
	for (unsigned r = 0; r < REQUESTS; r++) // touched only where there is something: it is the largest table
		if (j->requests[r].time_ns)
			memset(&j->requests[r], 0, sizeof(j->requests[r]));
	memset(j->throttles, 0, THROTTLES * sizeof(*j->throttles));
	memset(j->suspects, 0, THROTTLES * sizeof(*j->suspects));
	memset(j->past, 0, PAST_ALERTS * sizeof(*j->past));
	memset(j->asked, 0, ASKED * sizeof(*j->asked));
	contacts_forget(j->called);
	own_forget(j->own);
	uploads_forget(j->uploads);
	dayset_clear(j->scored);
	j->past_next = 0;
	j->baseline_day = 0;
	j->baseline[0] = 0;
}
