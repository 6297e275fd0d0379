// SPDX-License-Identifier: GPL-2.0-or-later
// Input: what was done to the image of a small organisation's fortnight by one who can also make its hash right. Each
// change is u8 section, u24 place, u8 n, n bytes; n 0 ends the section there, place ffffff lets it out. What is taken is
// whole enough to be used and written again; what is refused leaves a learner that knows nothing and a judge as new.
#include "difference.h"
#include "image.h"
#include "judge.h"
#include "learn.h"
#include "text.h"

#include "digest.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECTIONS = 32, DEVICES = 16, VALUES = 1024, DAYS = 14, LIVING = 9, OUT = 0xffffff };
#define DAY (86400ull * NS_PER_S)
#define NOW (20000ull * DAY)

static struct learn *learn;
static struct judge *judge;
static struct image base;
static uint8_t *room[SECTIONS]; // each section's copy, to be changed

static void on_alert(void *user, struct alert *a)
{
}

static void observe(unsigned kind, unsigned device, unsigned endpoint, bool in, uint64_t now_ns)
{
	struct observation o;

	observation_init(&o, kind);
	o.client = address_v4((const uint8_t[4]){10, 0, 0, (uint8_t)(1 + device)});
	o.server = address_v4((const uint8_t[4]){203, 0, 113, (uint8_t)endpoint});
	if (in) {
		o.server = o.client;
		o.client = address_v4((const uint8_t[4]){203, 0, 113, (uint8_t)endpoint});
	}
	o.client_port = 40000;
	o.server_port = 443;
	o.transport = 6;
	o.direction = in ? DIRECTION_IN : DIRECTION_OUT;
	o.time_ns = now_ns;
	judge_observe(judge, &o, MODE_OBSERVE);
}

static void live(void)
{
	for (unsigned day = 0; day < DAYS; day++)
		for (unsigned d = 0; d < LIVING; d++)
			for (unsigned k = 0; k < 3; k++)
				observe(k == 2 ? OBS_TLS : OBS_FLOW_OPEN, d, 9 + day * k % 7, k == 1 && d == 0,
					NOW - (DAYS - day) * DAY + (8 + k + d % 5) * 3600 * NS_PER_S);
}

static void make_base(void)
{
	static const char policy[] = "policy: t/t\ntitle: t\nversion: 1\npriority: 2\nphase: control\nthrottle: 1h per device\n"
				     "on: flow.open\nwhen: [endpoint.days == 0]\n";
	static struct counters counters;
	const struct learn_config small = {.devices = DEVICES, .values = VALUES, .key = {1, 2}};
	struct judge_config config = {.counters = &counters, .alert = on_alert, .alarms_per_day = 1};
	char error[POLICY_ERROR_BYTES] = "";

	learn = learn_create(&small, &counters);
	config.learn = learn;
	config.policies = policy_read_text("t.yaml", bytes_of_text(policy), error);
	judge = learn && config.policies ? judge_create(&config) : NULL;
	if (!judge) {
		fprintf(stderr, "%s\n", error);
		abort();
	}
	live();
	image_begin(&base, LEARN_IMAGE_VERSION);
	learn_put(learn, &base);
	judge_put(judge, &base);
	if (!image_room(&base, 32)) // where a written one has its hash
		abort();
	for (unsigned id = 1; id < SECTIONS; id++)
		room[id] = malloc(image_find(&base, id).left + 1);
}

static void change(struct bytes input, size_t length[SECTIONS])
{
	struct bytes with;
	uint8_t id, n;
	uint32_t at;

	while (bytes_read_u8(&input, &id) && bytes_read_u24(&input, &at) && bytes_read_u8(&input, &n)) {
		if (!bytes_take(&input, n, &with))
			return;
		id %= SECTIONS;
		if (at == OUT)
			length[id] = 0;
		else if (length[id] && n == 0)
			length[id] = at % length[id];
		for (unsigned i = 0; at != OUT && i < n && length[id]; i++)
			room[id][(at + i) % length[id]] = with.at[i];
	}
}

static void assemble(struct bytes input, struct image *out)
{
	size_t length[SECTIONS] = {0};
	struct image i;
	uint8_t *hash;

	for (unsigned id = 1; id < SECTIONS; id++) {
		struct bytes b = image_find(&base, id);

		length[id] = b.left;
		if (b.left)
			memcpy(room[id], b.at, b.left);
	}
	change(input, length);
	image_begin(&i, LEARN_IMAGE_VERSION);
	for (unsigned id = 1; id < SECTIONS; id++) {
		image_section(&i, id);
		image_append(&i, room[id], length[id]);
		image_end(&i);
	}
	hash = image_room(&i, 32);
	if (!hash)
		abort();
	digest_sha256(i.at, i.used - 32, hash);
	*out = i;
}

// What the command line makes of it, with and without a learner that takes it.
static void compare(const struct image *i)
{
	struct learn_drift *moved;
	struct learn_difference *d;
	const struct learn_change *c;
	struct judge_budget budget;
	char words[64];
	int error;

	if (learn_drifts(i, &moved) >= 0)
		free(moved);
	judge_image_budget(i, &budget);
	d = learn_difference_create(&base, i, &error);
	for (uint32_t n = 0; d && (c = learn_difference_at(d, n)); n++)
		for (unsigned f = 0; f < DIFFERENCE_FEATURES; f++)
			if (learn_difference_words(d, c, f, true, words, sizeof(words)) > c->fresh[f])
				abort();
	learn_difference_destroy(d);
}

static void use(void)
{
	struct image again;

	observe(OBS_FLOW_OPEN, 0, 99, false, NOW);
	judge_step(judge, NOW + 2 * DAY, MODE_OBSERVE);
	image_begin(&again, LEARN_IMAGE_VERSION);
	learn_put(learn, &again);
	judge_put(judge, &again);
	image_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image made, i;

	if (!judge)
		make_base();
	assemble(bytes_of(data, size), &made);
	if (image_copy(&i, LEARN_IMAGE_VERSION, bytes_of(made.at, made.used)) < 0)
		abort();
	compare(&i);
	if (learn_take(learn, &i) == 0 && judge_take(judge, &i) == 0)
		use();
	else if (learn_device_count(learn) && size == 0)
		abort(); // as it was written it is taken
	image_free(&i);
	image_free(&made);
	return 0;
}
