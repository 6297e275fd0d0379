// SPDX-License-Identifier: GPL-2.0-or-later
// explain: what an alert rests on, made again. Asks the running brain, or reads a journal nobody need be writing.
#include "explain.h"
#include "nouns.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"usage: sekimori explain ID [--json] [--state DIR [--policy-dir DIR]]\n"
	"       sekimori explain --all --state DIR\n"
	"Every number an alert rests on, from the counts up, and all of them made again. Exit code 1: some differ.\n"
	"  --state DIR       reads DIR/journal.db, without a running brain; changes nothing\n"
	"  --policy-dir DIR  the policies that name evidence (default: those of the build)\n"
	"  --all             every alert and every event of the journal, one line in the end\n";

static void print_line(void *user, const char *text)
{
	fprintf(stdout, "%s%s", text, *text && text[strlen(text) - 1] == '\n' ? "" : "\n");
}

static int offline_all(struct journal *j)
{
	struct explain_sum s;
	int rc = explain_all(j, &s, print_line, NULL);

	if (rc < 0) {
		fprintf(stderr, "sekimori: the journal could not be read: %s\n", strerror(-rc));
		return EXIT_FAILED;
	}
	if (journal_unread(j) > 0)
		printf("%d alerts of another version were not looked at\n", journal_unread(j));
	if (s.differ)
		printf("recomputed: %llu of %llu numbers differ, in %u of %u alerts and %u of %u events\n",
		       (unsigned long long)s.differ, (unsigned long long)s.numbers, s.alerts_differ, s.alerts, s.scores_differ,
		       s.scores);
	else
		printf("recomputed: %llu numbers of %u alerts and %u events agree to the last digit\n",
		       (unsigned long long)s.numbers, s.alerts, s.scores);
	return s.differ ? EXIT_FAILED : EXIT_DONE;
}

static int offline_one(struct journal *j, const struct ask *a)
{
	char error[POLICY_ERROR_BYTES];
	struct policy_set *policies = policy_load(a->policy_dir ? a->policy_dir : SEKIMORI_SOURCE_DIR "/policy", error);
	char *text = malloc(EXPLAIN_BYTES);
	unsigned differ = 0;
	int rc = text ? explain_alert(j, policies, a->request.id, a->json, text, EXPLAIN_BYTES, &differ) : -ENOMEM;

	if (!policies)
		fprintf(stderr, "sekimori: %s (evidence of policies is named by the journal alone)\n", error);
	if (rc > 0)
		fputs(text, stdout);
	else if (rc == -ENOENT)
		fprintf(stderr, "sekimori: no alert has the number %llu\n", (unsigned long long)a->request.id);
	else
		fprintf(stderr, "sekimori: the journal could not be read: %s\n", strerror(-rc));
	free(text);
	if (policies)
		policy_free(policies);
	if (rc == -ENOENT)
		return EXIT_NOTHING;
	return rc < 0 || differ ? EXIT_FAILED : EXIT_DONE;
}

static int offline(const struct ask *a)
{
	char path[4096], error[512];
	struct journal *j;
	int status;

	snprintf(path, sizeof(path), "%s/journal.db", a->state);
	j = journal_open_read(path, error, sizeof(error));
	if (!j) {
		fprintf(stderr, "sekimori: %s\n", error);
		return EXIT_FAILED;
	}
	status = a->all ? offline_all(j) : offline_one(j, a);
	journal_close(j);
	return status;
}

static int live(struct ask *a)
{
	Control__Reply *r;
	int status;

	a->request.verb = CONTROL__VERB__ALERT_EXPLAIN;
	a->request.json = a->json;
	r = ask_call(a, "brain", &status);
	if (!r)
		return status;
	fputs(r->story, stdout);
	status = r->differ ? EXIT_FAILED : EXIT_DONE;
	control__reply__free_unpacked(r, NULL);
	return status;
}

int noun_explain(int argc, char **argv)
{
	struct ask a;
	int status = ask_read(&a, argc, argv, help);
	bool named;

	if (status >= 0)
		return status;
	named = a.verb && bytes_to_u64(bytes_of_text(a.verb), UINT64_MAX, &a.request.id) == 0 && a.request.id;
	if (a.target || named == a.all || (a.all && !a.state)) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	return a.state ? offline(&a) : live(&a);
}
