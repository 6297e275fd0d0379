// SPDX-License-Identifier: GPL-2.0-or-later
// A set of policies: loading a folder, and what others may ask of it.
#include "policy_impl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const phase_names[PHASE_COUNT] = {"entry", "callback", "delivery", "control", "objective", "state"};
static const char *const response_names[] = {"none", "would-block", "proposed", "cut", "blocked", "refused"};

const char *phase_name(unsigned phase)
{
	return phase < PHASE_COUNT ? phase_names[phase] : "?";
}

const char *response_name(unsigned response)
{
	return response <= RESPONSE_REFUSED ? response_names[response] : "?";
}

static struct policy_set *set_create(void)
{
	struct policy_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->policy = calloc(POLICY_MAX, sizeof(*set->policy));
	set->text = malloc(POLICY_TEXT_BYTES);
	if (set->policy && set->text)
		return set;
	policy_free(set);
	return NULL;
}

void policy_free(struct policy_set *set)
{
	if (!set)
		return;
	free(set->policy);
	free(set->text);
	free(set);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool set_add_text(struct policy_set *set, const char *name, struct bytes text, char *error)
{
	struct reader r = {.file = name, .error = error, .set = set};
	bool (*read)(struct reader *, const struct node *) =
		ends_with(name, "network.yaml") ? network_read_document : policy_read_document;
	struct tree *t = tree_create(text);
	const struct node *root;
	const char *problem;
	uint32_t line;

	if (!t)
		return reader_fail(&r, 0, "no memory");
	while ((root = tree_next(t, &problem, &line)) && read(&r, root))
		;
	if (problem)
		reader_fail(&r, line, "not readable as YAML: %s", problem);
	tree_free(t);
	return error[0] == 0;
}

struct policy_set *policy_read_text(const char *name, struct bytes text, char error[POLICY_ERROR_BYTES])
{
	struct policy_set *set = set_create();

	error[0] = 0;
	if (!set) {
		snprintf(error, POLICY_ERROR_BYTES, "%s:0: no memory", name);
		return NULL;
	}
	if (set_add_text(set, name, text, error))
		return set;
	policy_free(set);
	return NULL;
}

static bool set_add_file(struct policy_set *set, const char *path, char *error)
{
	uint8_t *data = malloc(TREE_FILE_BYTES + 1);
	FILE *file = fopen(path, "rb");
	bool read = false;
	size_t n;

	if (data && file) {
		n = fread(data, 1, TREE_FILE_BYTES + 1, file); // one more shows that it is too large
		read = !ferror(file) && set_add_text(set, path, bytes_of(data, n), error);
	}
	if (!read && !error[0])
		snprintf(error, POLICY_ERROR_BYTES, "%.300s:0: %s", path, strerror(errno));
	if (file)
		fclose(file);
	free(data);
	return read;
}

static int is_yaml(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && ends_with(entry->d_name, ".yaml");
}

static int by_name(const struct dirent **a, const struct dirent **b) // not by the locale's order
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct policy_set *policy_load(const char *folder, char error[POLICY_ERROR_BYTES])
{
	struct policy_set *set = set_create();
	struct dirent **entries = NULL;
	int n = set ? scandir(folder, &entries, is_yaml, by_name) : -1;
	bool read = n >= 0;

	error[0] = 0;
	if (!read)
		snprintf(error, POLICY_ERROR_BYTES, "%.300s:0: %s", folder, strerror(errno));
	for (int i = 0; i < n; i++) {
		char path[4096];

		if (read && (size_t)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) >= sizeof(path)) {
			snprintf(error, POLICY_ERROR_BYTES, "%.200s:0: the path is too long", folder);
			read = false;
		}
		read = read && set_add_file(set, path, error);
		free(entries[i]);
	}
	free(entries);
	if (read && set->count == 0) {
		snprintf(error, POLICY_ERROR_BYTES, "%s:0: found no policy, expected *.yaml files with at least one",
			 folder);
		read = false;
	}
	if (read)
		return set;
	policy_free(set);
	return NULL;
}

unsigned policy_count(const struct policy_set *set)
{
	return set->count;
}

const char *policy_name(const struct policy_set *set, unsigned i)
{
	return i < set->count ? set->policy[i].name : NULL;
}

const char *policy_alias(const struct policy_set *set, unsigned i)
{
	return i < set->count ? set->policy[i].alias : NULL;
}

// Each line once. false: there are more than the table has places.
static bool collect_certain(const struct policy_set *set, struct certain_rule out[SHEET_CERTAIN], unsigned *n)
{
	unsigned same;

	*n = 0;
	for (unsigned i = 0; i < set->count; i++)
		for (unsigned k = 0; k < set->policy[i].response.certains; k++) {
			const struct certain_rule *rule = &set->policy[i].response.certain[k];

			for (same = 0; same < *n && memcmp(&out[same], rule, sizeof(*rule)) != 0; same++)
				;
			if (same == SHEET_CERTAIN)
				return false;
			if (same == *n)
				out[(*n)++] = *rule;
		}
	return true;
}

bool policy_certain_fits(const struct policy_set *set)
{
	struct certain_rule rule[SHEET_CERTAIN];
	unsigned n;

	return collect_certain(set, rule, &n);
}

unsigned policy_certain(const struct policy_set *set, struct certain_rule out[SHEET_CERTAIN])
{
	unsigned n;

	collect_certain(set, out, &n); // what was read fits
	return n;
}

const struct prefix *policy_never_block(const struct policy_set *set, unsigned *count)
{
	*count = set->nevers;
	return set->never;
}

const struct prefix *policy_inside(const struct policy_set *set, unsigned *count)
{
	*count = set->insides;
	return set->inside;
}

const struct policy_group *policy_groups(const struct policy_set *set, unsigned *count)
{
	*count = set->groups;
	return set->group;
}

bool policy_quantity(unsigned i, char name[64], const char **doc)
{
	struct quantity q;

	return quantity_at(i, name, &q, doc);
}
