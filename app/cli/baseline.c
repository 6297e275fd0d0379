// SPDX-License-Identifier: GPL-2.0-or-later
// baseline: snapshots of what was learned. Over the socket, or with --state DIR straight from the files. Comparing is done
// here and not in the brain, which has frames to judge.
#include "difference.h"
#include "baselines.h"
#include "journal.h"
#include "judge.h"
#include "learn.h"
#include "nouns.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEND_BYTES = 48 * 1024, KNOWN_ALERTS = 10000, WORDS_BYTES = 512, DRIFT_LINES = 20 };

static const char help[] =
	"usage: sekimori baseline list | diff THEN NOW | drift | export FILE [NAME]   [--json] [--state DIR]\n"
	"       sekimori baseline save | import FILE | rollback NAME --yes\n"
	"A snapshot is kept each day, 35 at most. NAME is one of `list`; \"now\" is what was last saved (each minute).\n"
	"rollback: what was learned since is forgotten; blocks and incidents stay. An exported file holds addresses of inside\n"
	"devices and the key of all hashes: keep it as you keep the box.\n"
	"--state DIR: without a running brain, from its folder (/var/lib/sekimori).\n";

static const char *const feature_words[DIFFERENCE_FEATURES] = {
	[FEATURE_ENDPOINT] = "outside addresses", [FEATURE_ENDPOINT_PORT] = "outside addresses with port", [FEATURE_PORT] = "protocols and ports",
	[FEATURE_AGENT] = "user agents", [FEATURE_AGENT_FAMILY] = "programs", [FEATURE_HOST] = "host names", [FEATURE_FILE] = "kinds of file",
	[FEATURE_FILE_SOURCE] = "file sources", [FEATURE_JA4] = "TLS fingerprints", [FEATURE_SERVED] = "served ports",
	[FEATURE_CLIENT] = "outside clients", [FEATURE_DESTINATION] = "destinations", [FEATURE_DOMAIN] = "domains asked for",
	[FEATURE_INSIDE] = "inside addresses", [FEATURE_HOUR] = "hours",
};

static int call(struct ask *a, Control__Verb verb, Control__Reply **reply)
{
	int status = EXIT_DONE;

	a->request.verb = verb;
	*reply = ask_call(a, "brain", &status);
	return status;
}

static int said(const char *what, int error)
{
	const char *why = error == -ENOTSUP ? "a baseline of another version of this program"
			  : error == -EPROTO ? "no baseline, or damaged"
			  : error == -EINVAL ? "no snapshot's name; sekimori baseline list"
			  : error == -EKEYREJECTED ? "learned on two boxes: their values are hashed under different keys and cannot be compared"
						   : strerror(-error);

	fprintf(stderr, "sekimori: %s: %s\n", what, why);
	return error == -ENOENT ? EXIT_NOTHING : EXIT_FAILED;
}

// The next part of a snapshot, from the folder or over the socket: its bytes, 0 at the end; below 0: the exit code is -n.
static int next_part(struct ask *a, const char *name, uint64_t offset, uint8_t *out)
{
	Control__Reply *r;
	int status, n;

	if (a->state) {
		n = baselines_read(a->state, name, offset, out, BASELINES_PART_BYTES);
		return n < 0 ? -said(name, n) : n;
	}
	a->request.name = (char *)name;
	a->request.offset = offset;
	status = call(a, CONTROL__VERB__BASELINE_READ, &r);
	if (!r)
		return -status;
	n = (int)(r->data.len < BASELINES_PART_BYTES ? r->data.len : BASELINES_PART_BYTES);
	if (n)
		memcpy(out, r->data.data, (size_t)n);
	control__reply__free_unpacked(r, NULL);
	return n;
}

// All parts, into *out once they are proved. An exit code, or below 0: what is wrong with them, which is not yet said.
static int fetch_once(struct ask *a, const char *name, struct image *out)
{
	struct image file = {0};
	int n, error;

	do {
		uint8_t *part = image_room(&file, BASELINES_PART_BYTES);

		n = part ? next_part(a, name, file.used - BASELINES_PART_BYTES, part) : -said(name, -ENOMEM);
		file.used -= (size_t)(BASELINES_PART_BYTES - (n > 0 ? n : 0));
	} while (n > 0 && file.used < BASELINES_IMPORT_BYTES);
	error = n < 0 ? n : image_copy(out, LEARN_IMAGE_VERSION, bytes_of(file.at, file.used));
	image_free(&file);
	return n < 0 ? -n : error;
}

// Reads a whole snapshot and proves it. An exit code. What was last saved may be saved anew between two parts: then they are of
// two files, and the next save is a minute away.
static int fetch(struct ask *a, const char *name, struct image *out)
{
	int status = fetch_once(a, name, out);

	if (status == -EPROTO && !strcmp(name, "now"))
		status = fetch_once(a, name, out);
	return status < 0 ? said(name, status) : status;
}

// --- list, save, export, import, rollback ---

static int list(struct ask *a)
{
	static const struct column columns[] = {{"name", 0}, {"time", 0}, {"bytes", 1}};
	struct table *t = table_new("baselines", columns, 3, a->json);
	struct baselines_entry entry[BASELINES_MOST];
	Control__Reply *r = NULL;
	int n = a->state ? baselines_list(a->state, entry) : 0, status = EXIT_DONE;

	if (n < 0)
		return said(a->state, n);
	if (!a->state)
		status = call(a, CONTROL__VERB__BASELINE_LIST, &r);
	for (size_t i = 0; r && i < r->n_baselines && n < BASELINES_MOST; i++, n++) {
		entry[n] = (struct baselines_entry){.time_ns = r->baselines[i]->time_ns, .bytes = r->baselines[i]->bytes};
		snprintf(entry[n].name, sizeof(entry[n].name), "%s", r->baselines[i]->name);
	}
	for (int i = 0; i < n; i++) {
		table_row(t);
		table_text(t, entry[i].name);
		table_time(t, entry[i].time_ns);
		table_number(t, entry[i].bytes);
	}
	table_print(t);
	if (r)
		control__reply__free_unpacked(r, NULL);
	return status != EXIT_DONE ? status : n ? EXIT_DONE : EXIT_NOTHING;
}

static int change(struct ask *a, Control__Verb verb)
{
	Control__Reply *r;
	int status = call(a, verb, &r);

	if (r)
		control__reply__free_unpacked(r, NULL);
	return status;
}

static int export_file(struct ask *a, const char *path, const char *name)
{
	struct image i;
	int status = fetch(a, name, &i);
	FILE *f;

	if (status != EXIT_DONE)
		return status;
	umask(077);
	f = fopen(path, "wxe"); // never over another file
	if (!f || fwrite(i.at, 1, i.used, f) != i.used || fflush(f) != 0)
		status = said(path, -errno);
	if (f && fclose(f) != 0 && status == EXIT_DONE)
		status = said(path, -errno);
	if (f && status != EXIT_DONE)
		unlink(path); // half of one is none, and would be in the way of the next
	image_free(&i);
	return status;
}

static int import_file(struct ask *a, const char *path)
{
	struct image i;
	int error = image_read(&i, LEARN_IMAGE_VERSION, path), status = EXIT_DONE;

	if (error)
		return said(path, error);
	for (size_t at = 0; status == EXIT_DONE && at <= i.used; at += SEND_BYTES) {
		size_t n = i.used - at < SEND_BYTES ? i.used - at : SEND_BYTES;

		if (n == 0)
			break;
		a->request.offset = at;
		a->request.data = (ProtobufCBinaryData){n, i.at + at};
		status = change(a, CONTROL__VERB__BASELINE_WRITE);
	}
	a->request.data = (ProtobufCBinaryData){0, NULL};
	image_free(&i);
	return status == EXIT_DONE ? change(a, CONTROL__VERB__BASELINE_WRITE) : status;
}

static int rollback(struct ask *a)
{
	if (!a->yes) {
		fputs("sekimori: what was learned since will be forgotten; say it again with --yes\n", stderr);
		return EXIT_CONFIRM;
	}
	a->request.name = (char *)a->target;
	return change(a, CONTROL__VERB__BASELINE_ROLLBACK);
}

// --- diff ---

static bool try_alert(void *user, const struct alert *a)
{
	struct learn_difference *d = user;
	const char *const texts[] = {a->host, a->agent};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		learn_difference_try(d, texts[i]);
	for (unsigned i = 0; i < a->terms && i < ALERT_TERMS; i++)
		learn_difference_try(d, a->term[i].value);
	learn_difference_try_port(d, &a->endpoint, a->transport, a->endpoint_port);
	return true;
}

static void try_message(struct learn_difference *d, const Control__Alert *m)
{
	struct address endpoint;

	learn_difference_try(d, m->host);
	learn_difference_try(d, m->agent);
	for (size_t i = 0; i < m->n_terms; i++)
		learn_difference_try(d, m->terms[i]->value);
	if (address_parse(bytes_of_text(m->endpoint), &endpoint) < 0)
		return;
	learn_difference_try_port(d, &endpoint, 6, (uint16_t)m->endpoint_port);
	learn_difference_try_port(d, &endpoint, 17, (uint16_t)m->endpoint_port);
}

// What alerts said in clear. No journal, no words: the numbers stay.
static void try_journal(struct ask *a, struct learn_difference *d)
{
	struct journal_query q = {.limit = KNOWN_ALERTS};
	char path[BASELINES_PATH_BYTES], error[512];
	struct journal *j;
	Control__Reply *r;

	if (!a->state) {
		a->request.limit = KNOWN_ALERTS / 10; // a reply has a largest size
		call(a, CONTROL__VERB__ALERT_LIST, &r);
		for (size_t i = 0; r && i < r->n_alerts; i++)
			try_message(d, r->alerts[i]);
		if (r)
			control__reply__free_unpacked(r, NULL);
		return;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/journal.db", a->state) >= sizeof(path) || access(path, R_OK) < 0)
		return;
	j = journal_open_read(path, error, sizeof(error));
	if (!j)
		return;
	journal_alerts(j, &q, try_alert, d);
	journal_close(j);
}

static void print_values(const struct learn_difference *d, const struct learn_change *c, bool fresh)
{
	const uint32_t *count = fresh ? c->fresh : c->gone;
	char words[WORDS_BYTES], safe[WORDS_BYTES];

	for (unsigned f = 0; f < DIFFERENCE_FEATURES; f++) {
		uint32_t named;

		if (!count[f])
			continue;
		named = learn_difference_words(d, c, f, fresh, words, sizeof(words));
		text_printable(bytes_of_text(words), safe, sizeof(safe));
		printf("  %c%u %s", fresh ? '+' : '-', count[f], feature_words[f]);
		if (named == count[f])
			printf(": %s\n", safe);
		else if (named)
			printf(": %s and %u known by their hashes only\n", safe, count[f] - named);
		else
			puts(" (known by their hashes only)");
	}
}

static void print_change(const struct learn_difference *d, const struct learn_change *c)
{
	char text[ADDRESS_TEXT_BYTES];

	printf("%s", address_format(&c->address, text));
	if (c->came)
		printf("  came: %s, group %s", role_name(c->role_now), c->group_now);
	else if (c->went)
		printf("  went: was %s, group %s", role_name(c->role_then), c->group_then);
	else if (c->role_then != c->role_now)
		printf("  role %s, was %s", role_name(c->role_now), role_name(c->role_then));
	if (!c->came && !c->went && strcmp(c->group_then, c->group_now))
		printf("  group %s, was %s", c->group_now, c->group_then);
	puts("");
	print_values(d, c, true);
	print_values(d, c, false);
}

static void print_threshold(const char *what, int64_t then, int64_t now)
{
	char a[32] = "none", b[32] = "none";

	if (then != INT64_MAX)
		snprintf(a, sizeof(a), "%.1f bits", (double)then / EVIDENCE_BIT);
	if (now != INT64_MAX)
		snprintf(b, sizeof(b), "%.1f bits", (double)now / EVIDENCE_BIT);
	printf("threshold of %s: %s, was %s\n", what, b, a);
}

static void print_difference(const struct learn_difference *d, const struct image *then, const struct image *now)
{
	const struct learn_change *c;
	struct judge_budget a, b;
	char what[64];
	uint32_t i = 0;

	judge_image_budget(then, &a);
	judge_image_budget(now, &b);
	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		snprintf(what, sizeof(what), "alarms of %ss", role_name(r));
		print_threshold(what, a.role[r].threshold, b.role[r].threshold);
	}
	print_threshold("blocks", judge_block_threshold(&a), judge_block_threshold(&b));
	while ((c = learn_difference_at(d, i++)))
		print_change(d, c);
	printf("%u devices changed\n", i - 1);
}

static void print_table(const struct learn_difference *d)
{
	static const struct column columns[] = {{"device", 0}, {"change", 0}, {"feature", 0}, {"count", 1}, {"named", 1}, {"then", 0}, {"now", 0}};
	struct table *t = table_new("differences", columns, sizeof(columns) / sizeof(columns[0]), true);
	char address[ADDRESS_TEXT_BYTES], words[WORDS_BYTES];
	const struct learn_change *c;

	for (uint32_t i = 0; (c = learn_difference_at(d, i)); i++) {
		table_row(t);
		table_text(t, address_format(&c->address, address));
		table_text(t, c->came ? "came" : c->went ? "went" : "changed");
		table_text(t, "group");
		table_number(t, 1);
		table_number(t, 1);
		table_text(t, c->group_then);
		table_text(t, c->group_now);
		for (unsigned f = 0; f < 2 * DIFFERENCE_FEATURES; f++) {
			bool fresh = f < DIFFERENCE_FEATURES;
			uint32_t count = fresh ? c->fresh[f] : c->gone[f - DIFFERENCE_FEATURES];

			if (!count)
				continue;
			table_row(t);
			table_text(t, address);
			table_text(t, fresh ? "new" : "gone");
			table_text(t, feature_name(f % DIFFERENCE_FEATURES));
			table_number(t, count);
			table_number(t, learn_difference_words(d, c, f % DIFFERENCE_FEATURES, fresh, words, sizeof(words)));
			table_text(t, fresh ? "" : words);
			table_text(t, fresh ? words : "");
		}
	}
	table_print(t);
}

static int diff(struct ask *a, const char *name_then, const char *name_now)
{
	struct image then = {0}, now = {0};
	struct learn_difference *d = NULL;
	int status = fetch(a, name_then, &then), error = 0;

	if (status == EXIT_DONE)
		status = fetch(a, name_now, &now);
	if (status == EXIT_DONE) {
		d = learn_difference_create(&then, &now, &error);
		status = d ? EXIT_DONE : said("diff", error);
	}
	if (d) {
		learn_difference_try_all(d);
		try_journal(a, d);
		if (a->json)
			print_table(d);
		else
			print_difference(d, &then, &now);
	}
	learn_difference_destroy(d);
	image_free(&then);
	image_free(&now);
	return status;
}

// --- drift ---

// "+14 destinations, 31 % of its days"
static void moved_words(const struct learn_drift *d, char *out, size_t cap)
{
	size_t at = 0;

	out[0] = 0;
	for (unsigned f = 0; f < DIFFERENCE_FEATURES; f++)
		if (d->fresh[f] && f != FEATURE_ENDPOINT && f != FEATURE_ENDPOINT_PORT && at < cap) // destinations say it
			at += (size_t)snprintf(out + at, cap - at, "%s+%u %s", at ? ", " : "", d->fresh[f], feature_words[f]);
}

static int drift(struct ask *a)
{
	static const struct column columns[] = {{"device", 0}, {"share %", 1}, {"days", 1}, {"new since a week ago", 0}};
	struct learn_drift *moved;
	struct table *t;
	struct image i;
	int status = fetch(a, "now", &i), n, fresh_devices = 0;
	char text[WORDS_BYTES];

	if (status != EXIT_DONE)
		return status;
	n = learn_drifts(&i, &moved);
	image_free(&i);
	if (n < 0)
		return said("now", n);
	t = table_new("drift", columns, sizeof(columns) / sizeof(columns[0]), a->json);
	for (int k = 0; k < n; k++) {
		if (moved[k].is_new || !moved[k].fresh_days || (!a->json && k >= DRIFT_LINES)) {
			fresh_devices += moved[k].is_new;
			continue;
		}
		table_row(t);
		table_text(t, address_format(&moved[k].address, text));
		table_number(t, 100ull * moved[k].fresh_days / moved[k].days);
		table_number(t, moved[k].days);
		moved_words(&moved[k], text, sizeof(text));
		table_text(t, text);
	}
	table_print(t);
	if (fresh_devices && !a->json)
		printf("%d devices are new this week: all of theirs is\n", fresh_devices);
	free(moved);
	return EXIT_DONE;
}

int noun_baseline(int argc, char **argv)
{
	struct ask a;
	int status = ask_read_words(&a, argc, argv, help, 3);
	const char *verb = status < 0 && a.verb ? a.verb : "";

	if (status >= 0)
		return status;
	if (!strcmp(verb, "list") && !a.target)
		return list(&a);
	if (!strcmp(verb, "drift") && !a.target)
		return drift(&a);
	if (!strcmp(verb, "diff") && a.other)
		return diff(&a, a.target, a.other);
	if (!strcmp(verb, "export") && a.target)
		return export_file(&a, a.target, a.other ? a.other : "now");
	if (!a.state && !strcmp(verb, "save") && !a.target)
		return change(&a, CONTROL__VERB__BASELINE_SAVE);
	if (!a.state && !strcmp(verb, "import") && a.target && !a.other)
		return import_file(&a, a.target);
	if (!a.state && !strcmp(verb, "rollback") && a.target && !a.other)
		return rollback(&a);
	fputs(help, stderr);
	return EXIT_USAGE;
}
