// SPDX-License-Identifier: GPL-2.0-or-later
// To be preloaded: the FAIL_AT-th allocation of the program fails, and with FAIL_ON=1 all after it. FAIL_COUNT=FILE: the
// number of allocations is written there at the end. Threads may race for a number; that is good enough here.
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long done, fail_at;
static bool fail_on, ready;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);

// dlsym may ask for memory before it has found calloc; this is what it gets.
static char early[4096];
static size_t early_used;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_AT"), *on = getenv("FAIL_ON");

	real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
	real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
	real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
	fail_at = at ? strtoul(at, NULL, 10) : 0;
	fail_on = on && *on == '1';
	ready = true;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAIL_COUNT");
	FILE *f;

	ready = false;
	f = path ? fopen(path, "w") : NULL;
	if (!f)
		return;
	fprintf(f, "%lu\n", done);
	fclose(f);
}

static bool fails(void)
{
	unsigned long n;

	if (!ready)
		return false;
	n = __atomic_add_fetch(&done, 1, __ATOMIC_RELAXED);
	if (!fail_at || n < fail_at || (n > fail_at && !fail_on))
		return false;
	errno = ENOMEM;
	return true;
}

static void *take_early(size_t n)
{
	void *at = early + early_used;

	early_used += (n + 15) & ~(size_t)15;
	return early_used <= sizeof(early) ? at : NULL;
}

void *malloc(size_t n)
{
	if (!real_malloc)
		return take_early(n);
	return fails() ? NULL : real_malloc(n);
}

void *calloc(size_t n, size_t each)
{
	if (!real_calloc)
		return take_early(n * each);
	return fails() ? NULL : real_calloc(n, each);
}

void *realloc(void *old, size_t n)
{
	return fails() ? NULL : real_realloc(old, n);
}
