// SPDX-License-Identifier: GPL-2.0-or-later
// The learner over a restart. Included by learn_test.c.
#pragma once

// --- the store ---
static char path[64];

static void store_setup(void)
{
	int fd;

	strcpy(path, "/tmp/sekimori_learn_XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void store_teardown(void)
{
	unlink(path);
}

static int save(const struct learn *l)
{
	struct image i;
	int error;

	image_begin(&i, LEARN_IMAGE_VERSION);
	learn_put(l, &i);
	error = image_write(&i, path);
	image_free(&i);
	return error;
}

static int load(struct learn *l)
{
	struct image i;
	int error = image_read(&i, LEARN_IMAGE_VERSION, path);

	if (error == 0)
		error = learn_take(l, &i);
	image_free(&i);
	return error;
}

static struct learn *filled(void)
{
	struct learn *l = make(16, 1024);
	struct address a = inside(1), x = outside(1);
	char name[16];

	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "v%u", i % 70);
		learn_see(l, device(l, i % 13, START), FEATURE_HOST, NOVELTY_KNOWN, word(name), START + i * DAY / 20);
		learn_touch(l, device(l, i % 13, START), START + i * DAY / 20);
	}
	for (unsigned i = 0; i < 25; i++)
		visit(l, i, 3, START + 15 * DAY);
	recent_put(l, RECENT_RESOLVED, &a, &x, START + 15 * DAY);
	return l;
}

START_TEST(a_saved_store_loads_as_it_was)
{
	struct learn *l = filled(), *m = make(16, 1024);
	struct address a = inside(1), x = outside(1);
	uint8_t before[32], after[32];

	settle(l, START + 16 * DAY);

	ck_assert_int_eq(save(l), 0);
	ck_assert_int_eq(load(m), 0);
	learn_hash(l, before);
	learn_hash(m, after);
	ck_assert_mem_eq(before, after, 32);
	ck_assert_uint_eq(recent_get(m, RECENT_RESOLVED, &a, &x), START + 15 * DAY);
	ck_assert_uint_eq(device(m, 3, START)->role, ROLE_EXPOSED);
	for (unsigned i = 0; i < 13 * 70; i++) {
		struct counts c, d;
		char name[16];

		snprintf(name, sizeof(name), "v%u", i % 70);
		c = counts_of(l, device(l, i / 70, START), name, START + 16 * DAY);
		d = counts_of(m, device(m, i / 70, START), name, START + 16 * DAY);
		ck_assert_mem_eq(&c, &d, sizeof(c));
	}
	ck_assert_int_eq(save(m), 0); // once more: the same again
	ck_assert_int_eq(load(m), 0);
	learn_hash(m, after);
	ck_assert_mem_eq(before, after, 32);
	learn_destroy(l);
	learn_destroy(m);
}
END_TEST

START_TEST(tags_of_today_outlive_a_load)
{
	struct learn *l = filled(), *m = make(16, 1024);
	struct prefix net = {inside(5), 32};

	ck_assert_int_eq(save(l), 0);
	ck_assert_int_eq(learn_tag_group(m, &net, "lab"), 0);
	ck_assert_int_eq(load(m), 0);
	ck_assert_str_eq(learn_group_name(m, device(m, 5, START)->group), "lab");
	ck_assert_str_eq(learn_group_name(m, device(m, 6, START)->group), "clients");
	ck_assert_uint_eq(counts_of(m, device(m, 5, START), "v1", START).peers_total, 0);
	learn_destroy(l);
	learn_destroy(m);
}
END_TEST

// Devices 0 … 4 behave alike, which makes them a group.
static struct learn *grouped(void)
{
	struct learn *l = make(16, 1 << 14);
	char name[16];

	for (unsigned day = 0; day < 8; day++) {
		for (unsigned n = 0; n < 5; n++)
			for (unsigned v = 0; v < 12; v++) {
				snprintf(name, sizeof(name), "agent-%u", v);
				learn_see(l, device(l, n, START), FEATURE_AGENT_FAMILY, NOVELTY_KNOWN, word(name), START + day * DAY);
			}
		learn_step(l, START + day * DAY + DAY / 2);
	}
	ck_assert_str_eq(learn_group_name(l, device(l, 0, START)->group), "group-1");
	return l;
}

START_TEST(a_load_leaves_no_group_behind_that_is_nobody_s)
{
	struct learn *l = grouped(), *m = make(16, 1 << 14), *empty = make(16, 1 << 14);
	struct prefix net = {inside(7), 32};

	ck_assert_int_eq(save(l), 0);
	ck_assert_int_eq(load(m), 0);
	ck_assert_str_eq(learn_group_name(m, ROLE_COUNT), "group-1");
	ck_assert_int_eq(learn_tag_group(m, &net, "lab"), 0); // behind it
	ck_assert_int_eq(save(empty), 0);
	ck_assert_int_eq(load(m), 0);
	ck_assert_str_eq(learn_group_name(m, ROLE_COUNT), "lab");
	ck_assert_str_eq(learn_group_name(m, ROLE_COUNT + 1), "?");
	ck_assert_str_eq(learn_group_name(m, device(m, 7, START)->group), "lab");
	learn_destroy(l);
	learn_destroy(m);
	learn_destroy(empty);
}
END_TEST

START_TEST(a_damaged_store_is_refused_and_nothing_is_lost)
{
	struct learn *l = filled();
	uint8_t before[32], after[32];
	static uint8_t data[1 << 20];
	size_t size;
	FILE *f;

	learn_hash(l, before);
	ck_assert_int_eq(save(l), 0);
	f = fopen(path, "rb");
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	ck_assert_uint_gt(size, 1000);
	for (size_t at = 0; at < size; at += 997) { // one bit
		data[at] ^= 4;
		f = fopen(path, "wb");
		ck_assert_uint_eq(fwrite(data, 1, size, f), size);
		fclose(f);
		data[at] ^= 4;
		ck_assert_int_eq(load(l), -EPROTO);
	}
	for (size_t cut = 0; cut < size; cut += 2003) { // the end is missing
		f = fopen(path, "wb");
		ck_assert_uint_eq(fwrite(data, 1, cut, f), cut);
		fclose(f);
		ck_assert_int_eq(load(l), -EPROTO);
	}
	learn_hash(l, after);
	ck_assert_mem_eq(before, after, 32);
	learn_destroy(l);
}
END_TEST

START_TEST(a_store_larger_than_the_tables_is_refused_and_leaves_them_empty)
{
	struct learn *l = filled(), *m = make(4, 1024);

	ck_assert_int_eq(save(l), 0);
	ck_assert_int_eq(load(m), -EPROTO);
	ck_assert_uint_eq(learn_device_count(m), 0);
	device(m, 1, START);
	learn_destroy(l);
	learn_destroy(m);
}
END_TEST
