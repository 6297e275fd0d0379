// SPDX-License-Identifier: GPL-2.0-or-later
// Estimators through a restart: one that was put back goes on as the one it was taken from, to the last bit; a damaged
// image is refused, or makes an estimator that can be used. Included by estimate_test.c.
#pragma once
#include "conformal.h"
#include "evidence.h"
#include "peers.h"
#include "volume.h"

struct imaged { // one kind of estimator, small
	const char *name;
	void *(*create)(uint32_t other); // other: 1 … of another configuration
	void (*destroy)(void *x);
	uint64_t (*event)(void *x, struct dice *d, uint32_t i); // all it says of the i-th event, in one number
	size_t (*bytes)(const void *x);
	void (*image)(const void *x, uint8_t *out);
	bool (*restore)(void *x, const uint8_t *image, size_t n);
};

static uint64_t fold(uint64_t sum, uint64_t x)
{
	return (sum << 7 | sum >> 57) * 0x9e3779b97f4a7c15ull ^ x;
}

static uint64_t fold_double(uint64_t sum, double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return fold(sum, bits);
}

// The calls of one kind for any of them.
#define IMAGED_CALLS(NAME)                                                                                             \
	static void NAME##_of_image_destroy(void *x)                                                                   \
	{                                                                                                              \
		NAME##_destroy(x);                                                                                     \
	}                                                                                                              \
	static size_t NAME##_of_image_bytes(const void *x)                                                             \
	{                                                                                                              \
		return NAME##_image_bytes(x);                                                                          \
	}                                                                                                              \
	static void NAME##_of_image(const void *x, uint8_t *out)                                                       \
	{                                                                                                              \
		NAME##_image(x, out);                                                                                  \
	}                                                                                                              \
	static bool NAME##_of_image_restore(void *x, const uint8_t *image, size_t n)                                   \
	{                                                                                                              \
		return NAME##_restore(x, image, n);                                                                    \
	}

IMAGED_CALLS(conformal)
IMAGED_CALLS(evidence)
IMAGED_CALLS(peers)
IMAGED_CALLS(volume)

static void *conformal_of_image_create(uint32_t other)
{
	return conformal_create(400 + other, 7, 77);
}

static uint64_t conformal_of_image_event(void *x, struct dice *d, uint32_t i)
{
	double score = 5 * dice_exponential(d);
	struct conformal_p p;
	uint64_t sum;

	conformal_add(x, score);
	if (i % 150 == 149)
		conformal_end_day(x);
	sum = (uint64_t)conformal_look(x, score * 3, &p);
	sum = fold_double(fold_double(fold_double(sum, p.p), p.bits), p.tail.scale);
	return fold(fold(fold(fold(sum, p.above), p.equal), p.held), p.extrapolated);
}

static void *evidence_of_image_create(uint32_t other)
{
	struct evidence_config config = {
		.devices = 6, .keys = 32, .half_life_ms = {1800000, 259200000}, .repeat_ms = 86400000 + other};

	return evidence_create(&config);
}

static uint64_t evidence_of_image_event(void *x, struct dice *d, uint32_t i)
{
	struct evidence_item items[EVIDENCE_ITEMS], item = {.key = dice_below(d, 200),
							    .time_ms = 1639000000000ull + i * 50000ull,
							    .microbits = evidence_of_p(dice_unit(d)),
							    .family = dice_below(d, 4)};
	uint32_t device = dice_below(d, 5), n;
	struct evidence_state now, before;
	uint64_t sum = (uint64_t)evidence_add(x, device, &item, &now);

	sum = fold(fold(fold(sum, (uint64_t)now.level[0]), (uint64_t)now.level[1]), now.time_ms);
	n = evidence_items(x, device, &before, items);
	for (uint32_t k = 0; k < n; k++)
		sum = fold(fold(sum, items[k].key), (uint64_t)items[k].microbits);
	sum = fold(fold(fold(sum, before.time_ms), (uint64_t)before.level[1]), evidence_lost(x));
	now = evidence_look(x, device, item.time_ms + 1000);
	sum = fold(fold(sum, (uint64_t)now.level[0]), evidence_families(x, device, item.time_ms - 300000));
	if (i % 97 == 96)
		evidence_forget(x, device);
	return sum;
}

enum { IMAGED_PEERS = 40 };

static void *peers_of_image_create(uint32_t other)
{
	struct peers_config config = {
		.devices = IMAGED_PEERS, .groups = 8, .join = 64, .leave = 45, .margin = 20, .hold = 3 + other};

	return peers_create(&config);
}

static uint64_t peers_of_image_event(void *x, struct dice *d, uint32_t i)
{
	uint32_t device = i % IMAGED_PEERS, role = dice_below(d, 4) ? device % 6 : dice_below(d, 9);
	struct minhash m;
	uint64_t sum;

	for (uint32_t k = 0; k < MINHASH_PLACES; k++) // most of its role's places
		m.least[k] = dice_below(d, 10) ? role * MINHASH_PLACES + k : (uint32_t)dice_word(d);
	sum = (uint64_t)peers_review(x, device, &m);
	if (device == IMAGED_PEERS - 1)
		peers_end_review(x);
	if (i % 61 == 60)
		peers_forget(x, dice_below(d, IMAGED_PEERS));
	if (i % 131 == 130)
		peers_tag(x, dice_below(d, IMAGED_PEERS), dice_below(d, 2));
	sum = fold(fold(fold(sum, peers_group(x, device)), peers_alike(x, device)), peers_count(x));
	return fold(fold(sum, peers_members(x, peers_group(x, device))), peers_homeless(x));
}

static void *volume_of_image_create(uint32_t other)
{
	return volume_create(32 + 8 * other);
}

static uint64_t volume_of_image_event(void *x, struct dice *d, uint32_t i)
{
	uint64_t now = 1639000000ull + i * 700ull, sums[VOLUME_WINDOWS], sum = 0;

	volume_add(x, word_of(dice_below(d, 60)), dice_word(d) >> (20 + dice_below(d, 40)), now, sums);
	for (unsigned w = 0; w < VOLUME_WINDOWS; w++)
		sum = fold(sum, sums[w]);
	sum = fold(sum, volume_look(x, word_of(dice_below(d, 60)), now + 1000, sums));
	for (unsigned w = 0; w < VOLUME_WINDOWS; w++)
		sum = fold(sum, sums[w]);
	return fold(sum, volume_lost(x));
}

#define IMAGED(NAME)                                                                                                   \
	{                                                                                                              \
#NAME, NAME##_of_image_create, NAME##_of_image_destroy, NAME##_of_image_event, NAME##_of_image_bytes,  \
			NAME##_of_image, NAME##_of_image_restore                                                       \
	}

static const struct imaged imaged[] = {IMAGED(conformal), IMAGED(evidence), IMAGED(peers), IMAGED(volume)};

enum { IMAGED_KINDS = sizeof(imaged) / sizeof(*imaged) };

// In memory of exactly its size, for who watches over that.
static uint8_t *image_of(const struct imaged *kind, const void *x, size_t *n)
{
	uint8_t *image = malloc(*n = kind->bytes(x));

	ck_assert_ptr_nonnull(image);
	memset(image, 0xa5, *n);
	kind->image(x, image);
	return image;
}

static void check_same_image(const struct imaged *kind, const void *a, const void *b)
{
	size_t n, m;
	uint8_t *of_a = image_of(kind, a, &n), *of_b = image_of(kind, b, &m);

	ck_assert_msg(n == m && memcmp(of_a, of_b, n) == 0, "%s: images differ", kind->name);
	free(of_a);
	free(of_b);
}

START_TEST(image_goes_on_as_the_original)
{
	static const uint32_t events[] = {0, 1, 50, 149, 150, 1000, 3001, 6000};
	const struct imaged *kind = &imaged[_i];

	for (unsigned k = 0; k < sizeof(events) / sizeof(*events); k++) {
		void *x = kind->create(0), *again = kind->create(0);
		struct dice d = {60 + k}, same;
		uint8_t *image;
		size_t n;

		for (uint32_t i = 0; i < events[k]; i++)
			kind->event(x, &d, i);
		for (uint32_t i = 0; i < 30; i++) // what it held goes
			kind->event(again, &(struct dice){i}, i);
		image = image_of(kind, x, &n);
		ck_assert_msg(kind->restore(again, image, n), "%s after %u", kind->name, events[k]);
		check_same_image(kind, x, again);
		same = d;
		for (uint32_t i = events[k]; i < events[k] + 2000; i++) {
			uint64_t said = kind->event(x, &d, i), said_again = kind->event(again, &same, i);

			ck_assert_msg(said == said_again, "%s: event %u after %u", kind->name, i, events[k]);
		}
		check_same_image(kind, x, again);
		free(image);
		kind->destroy(x);
		kind->destroy(again);
	}
}
END_TEST

// Refused, it is as new; taken, it can be used, and what it is then is an image again.
static bool try_damaged(const struct imaged *kind, void *x, const void *fresh, const uint8_t *image, size_t n)
{
	struct dice d = {70};
	uint8_t *again;
	bool taken;

	if (!kind->restore(x, image, n)) {
		check_same_image(kind, x, fresh);
		return false;
	}
	again = image_of(kind, x, &n);
	ck_assert_msg(memcmp(again, image, n) == 0, "%s: two images of one state", kind->name);
	free(again);
	for (uint32_t i = 148; i < 162; i++) // a day of scores and a review end within
		kind->event(x, &d, i);
	again = image_of(kind, x, &n);
	taken = kind->restore(x, again, n);
	ck_assert_msg(taken, "%s: what it became is refused", kind->name);
	free(again);
	return true;
}

START_TEST(image_that_is_damaged_does_no_harm)
{
	const struct imaged *kind = &imaged[_i];
	void *x = kind->create(0), *fresh = kind->create(0), *other = kind->create(1);
	struct dice d = {71};
	uint32_t refused = 0;
	uint8_t *image, *damaged;
	size_t n;

	for (uint32_t i = 0; i < 1500; i++)
		kind->event(x, &d, i);
	image = image_of(kind, x, &n);
	ck_assert(!kind->restore(other, image, n));
	for (size_t i = 0; i < n; i++) {
		uint8_t flips[] = {(uint8_t)(1u << dice_below(&d, 8)), 0x80, 0xff}, flip = flips[dice_below(&d, 3)];

		image[i] ^= flip;
		refused += !try_damaged(kind, x, fresh, image, n);
		image[i] ^= flip;
	}
	ck_assert_uint_gt(refused, 8);                    // its mark and configuration, and more
	for (uint32_t times = 0; times < 1000; times++) { // several at once, and as often the extremes
		uint8_t was[8];
		size_t at = dice_below(&d, (uint32_t)n - 8);

		memcpy(was, image + at, 8);
		for (uint32_t k = dice_below(&d, 8); k < 8; k++)
			image[at + k] = (uint8_t)(times % 4 == 0 ? 0xff : times % 4 == 1 ? 0 : dice_word(&d));
		try_damaged(kind, x, fresh, image, n);
		memcpy(image + at, was, 8);
	}
	for (size_t short_of = 1; short_of <= n; short_of += 1 + short_of / 50) {
		damaged = malloc(n - short_of + 1);
		memcpy(damaged, image, n - short_of);
		ck_assert(!try_damaged(kind, x, fresh, damaged, n - short_of));
		free(damaged);
	}
	damaged = calloc(1, n + 1);
	memcpy(damaged, image, n);
	ck_assert(!try_damaged(kind, x, fresh, damaged, n + 1));
	ck_assert(try_damaged(kind, x, fresh, image, n));
	free(damaged);
	free(image);
	kind->destroy(x);
	kind->destroy(fresh);
	kind->destroy(other);
}
END_TEST

// Takes the image, edited: `cut` bytes from `at` on are replaced by `put`.
static bool takes_edited(const struct imaged *kind, const uint8_t *image, size_t n, size_t at, size_t cut,
			 const void *put, size_t length)
{
	uint8_t *edited = malloc(n - cut + length);
	void *x = kind->create(0);
	bool taken;

	memcpy(edited, image, at);
	if (length)
		memcpy(edited + at, put, length);
	memcpy(edited + at + length, image + at + cut, n - at - cut);
	taken = kind->restore(x, edited, n - cut + length);
	free(edited);
	kind->destroy(x);
	return taken;
}

static uint8_t *image_of_one_event(const struct imaged *kind, uint64_t seed, size_t *n)
{
	void *x = kind->create(0);
	uint8_t *image;

	kind->event(x, &(struct dice){seed}, 0);
	image = image_of(kind, x, n);
	kind->destroy(x);
	return image;
}

// The sets begin at `from`: all are empty but one, which holds one record.
static void check_sets(const struct imaged *kind, uint64_t seed, size_t from, size_t record)
{
	uint8_t *image, moved[64] = {0};
	size_t n, at = from;

	image = image_of_one_event(kind, seed, &n);
	while (at < n && image[at] == 0)
		at++;
	ck_assert_uint_eq(image[at], 1);
	ck_assert(takes_edited(kind, image, n, at, 0, NULL, 0));
	memcpy(moved, image + at, 1 + record);
	moved[0] = 2; // another place of its set: where the second one would be
	ck_assert(takes_edited(kind, image, n, at, 1 + record, moved, 1 + record));
	ck_assert_uint_lt(at + 1 + record, n); // or another seed has to be taken
	moved[0] = 0;                          // the next set
	memcpy(moved + 1, image + at, 1 + record);
	ck_assert(!takes_edited(kind, image, n, at, 2 + record, moved, 2 + record));
	moved[0] = 3; // twice in its set
	memcpy(moved + 1, image + at + 1, record);
	ck_assert(!takes_edited(kind, image, n, at, 1, moved, 1 + record));
	free(image);
}

static void check_groups(void)
{
	enum { NEXT = 31, GROUP = 40, NUMBER = 45, LEADER = 46, LED = 55, END = 568, MEMBERS = 570, MEMBER = 6 };
	static const uint8_t nobody[] = {0xff, 0xff, 0xff, 0xff}, other[] = {0, 0, 0, 1};
	const struct imaged *kind = &imaged[2];
	uint8_t *image, second[END - GROUP];
	size_t n;

	image = image_of_one_event(kind, 73, &n);
	ck_assert(takes_edited(kind, image, n, 0, 0, NULL, 0));
	ck_assert(!takes_edited(kind, image, n, LEADER, 4, other, 4)); // led by who is not in it
	memcpy(image + LEADER, nobody, 4);
	ck_assert(!takes_edited(kind, image, n, 0, 0, NULL, 0));
	image[LED] = 0;
	ck_assert(takes_edited(kind, image, n, 0, 0, NULL, 0));
	ck_assert(!takes_edited(kind, image, n, MEMBERS, 2, nobody, 2)); // of nobody
	image[NEXT] = 3;                                                 // a second one, of the second device
	memset(image + MEMBERS + MEMBER, 0, 1);
	image[MEMBERS + MEMBER + 1] = 1;
	memcpy(second, image + GROUP, sizeof(second));
	second[1] = 1;
	ck_assert(!takes_edited(kind, image, n, END, 0, second, sizeof(second)));
	second[NUMBER - GROUP] = 2;
	ck_assert(takes_edited(kind, image, n, END, 0, second, sizeof(second)));
	second[1] = 0; // in the place of the first
	ck_assert(!takes_edited(kind, image, n, END, 0, second, sizeof(second)));
	free(image);
}

START_TEST(image_of_what_cannot_be_is_refused)
{
	enum { TAIL = 68, HELD = 72, ITEM = 28, SETS = HELD + 1 + ITEM + 4 };
	static const uint8_t last_bin[] = {0x27, 0xff}, no_bin[] = {0x28, 0x00}, never[] = {0, 0, 0, 0},
			     no_number[] = {0x7f, 0xf8, 0, 0, 0, 0, 0, 0};
	uint8_t *image;
	size_t n;

	image = image_of_one_event(&imaged[0], 73, &n); // a score beyond the highest
	ck_assert(takes_edited(&imaged[0], image, n, n - 2, 2, last_bin, 2));
	ck_assert(!takes_edited(&imaged[0], image, n, n - 2, 2, no_bin, 2));
	for (size_t at = TAIL; at < TAIL + 3 * 8; at += 8) // a tail that is no number
		ck_assert(!takes_edited(&imaged[0], image, n, at, 8, no_number, 8));
	free(image);
	image = image_of_one_event(&imaged[1], 73, &n); // a device without an item
	ck_assert_uint_eq(image[HELD], 1);
	ck_assert(!takes_edited(&imaged[1], image, n, HELD, 1 + ITEM, never, 1));
	free(image);
	check_sets(&imaged[1], 74, SETS, 16);
	check_groups();
	image = image_of_one_event(&imaged[3], 73, &n); // a bucket said to hold something that holds nothing
	for (size_t at = 16; at < n; at++)
		if (image[at] == 1) {
			ck_assert(!takes_edited(&imaged[3], image, n, at + 22, 4, never, 4));
			break;
		}
	free(image);
	check_sets(&imaged[3], 75, 16, 21 + 3 * 4);
}
END_TEST

// Of what an estimator of 10 000 devices holds: counting its bytes, writing them, reading them.
static void tell_image(const struct imaged *kind, const void *x, void *again)
{
	char what[64];
	uint8_t *image;
	double begun = now_ns();
	size_t n = kind->bytes(x);

	image = malloc(n);
	memset(image, 0, n); // its pages are there
	kind->image(x, image);
	snprintf(what, sizeof(what), "%s: image of %zu KiB", kind->name, n / 1024);
	tell_time(what, now_ns() - begun, 1);
	begun = now_ns();
	ck_assert(kind->restore(again, image, n));
	snprintf(what, sizeof(what), "%s: restore", kind->name);
	tell_time(what, now_ns() - begun, 1);
	free(image);
}

static uint32_t image_share(void) // of the work, where nobody looks at the figures
{
	return getenv("SEKIMORI_TIMING") ? 1 : 20;
}

static void image_cost_of_evidence(struct dice *d)
{
	struct evidence_config config = {
		.devices = 10000, .keys = 1 << 20, .half_life_ms = {1800000, 259200000}, .repeat_ms = 86400000};
	struct evidence *e = evidence_create(&config), *again = evidence_create(&config);
	struct evidence_state now;

	for (uint32_t i = 0; i < 2000000 / image_share(); i++) {
		struct evidence_item item = {.key = dice_word(d), .time_ms = i, .microbits = 5};

		evidence_add(e, dice_below(d, 10000), &item, &now);
	}
	tell_image(&imaged[1], e, again);
	evidence_destroy(e);
	evidence_destroy(again);
}

static void image_cost_of_peers(struct dice *d)
{
	struct peers_config config = {
		.devices = 10000, .groups = 256, .join = 64, .leave = 45, .margin = 20, .hold = 3};
	struct peers *p = peers_create(&config), *again = peers_create(&config);

	for (uint32_t i = 0; i < 10000 / image_share(); i++) {
		struct minhash m;

		for (uint32_t k = 0; k < MINHASH_PLACES; k++)
			m.least[k] = dice_below(d, 10) ? i % 256 * MINHASH_PLACES + k : (uint32_t)dice_word(d);
		peers_review(p, i, &m);
	}
	tell_image(&imaged[2], p, again);
	peers_destroy(p);
	peers_destroy(again);
}

START_TEST(image_cost)
{
	struct conformal *c = conformal_create(4000, 14, 6), *again = conformal_create(4000, 14, 6);
	struct volume *v = volume_create(65536), *v_again = volume_create(65536);
	struct dice d = {72};
	uint64_t sum[VOLUME_WINDOWS];

	for (int i = 0; i < 4000; i++)
		conformal_add(c, 4 * dice_exponential(&d));
	tell_image(&imaged[0], c, again);
	image_cost_of_evidence(&d);
	image_cost_of_peers(&d);
	for (uint32_t i = 0; i < 1000000 / image_share(); i++)
		volume_add(v, word_of(dice_below(&d, 90000)), 15000, 1639000000 + i, sum);
	tell_image(&imaged[3], v, v_again);
	conformal_destroy(c);
	conformal_destroy(again);
	volume_destroy(v);
	volume_destroy(v_again);
}
END_TEST

static TCase *image_cases(void)
{
	TCase *tc = tcase_create("image");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, image_goes_on_as_the_original, 0, IMAGED_KINDS);
	tcase_add_loop_test(tc, image_that_is_damaged_does_no_harm, 0, IMAGED_KINDS);
	tcase_add_test(tc, image_of_what_cannot_be_is_refused);
	tcase_add_test(tc, image_cost);
	return tc;
}
