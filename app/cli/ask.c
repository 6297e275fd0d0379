// SPDX-License-Identifier: GPL-2.0-or-later
// Options, one call, and errors said so that the next step is clear.
#include "address.h"
#include "nouns.h"
#include "respond.h"
#include "suppress.h"
#include "text.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CALL_MS = 5000 };

static const struct option options[] = {
	{"json", no_argument, NULL, 'j'},        {"yes", no_argument, NULL, 'y'},          {"run-dir", required_argument, NULL, 'r'},
	{"limit", required_argument, NULL, 'n'}, {"since", required_argument, NULL, 's'},  {"lang", required_argument, NULL, 'l'},
	{"by", required_argument, NULL, 'b'},    {"for", required_argument, NULL, 'b'},    {"until", required_argument, NULL, 'u'},
	{"reason", required_argument, NULL, 'R'},{"port", required_argument, NULL, 'p'},   {"udp", no_argument, NULL, 'U'},
	{"blocks", required_argument, NULL, 'B'},  {"priority", required_argument, NULL, 'P'}, {"help", no_argument, NULL, 'h'},
	{"state", required_argument, NULL, 'S'}, {"policy-dir", required_argument, NULL, 'D'}, {"all", no_argument, NULL, 'a'},
	{"policy", required_argument, NULL, 'N'}, {"device", required_argument, NULL, 'd'}, {"endpoint", required_argument, NULL, 'e'},
	{"certain", no_argument, NULL, 'C'},     {NULL, 0, NULL, 0},
};

static uint64_t unix_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static bool read_duration(const char *text, uint64_t *ns)
{
	if (duration_parse(text, ns) == 0)
		return true;
	fprintf(stderr, "sekimori: \"%s\" is no duration; write 90s, 30m, 2h or 1d\n", text);
	return false;
}

// To a request 0 is as if nothing was said, and the usual length would be taken.
static bool read_length(const char *text, uint64_t *ns)
{
	if (!read_duration(text, ns))
		return false;
	if (*ns == 0)
		fprintf(stderr, "sekimori: \"%s\" is no time at all\n", text);
	return *ns != 0;
}

static bool read_time(const char *text, uint64_t *ns)
{
	if (time_parse(text, ns) == 0)
		return true;
	fprintf(stderr, "sekimori: \"%s\" is no time; write 2026-11-24T18:00:00Z\n", text);
	return false;
}

static bool read_number(const char *text, uint64_t max, uint64_t *n)
{
	if (bytes_to_u64(bytes_of_text(text), max, n) == 0)
		return true;
	fprintf(stderr, "sekimori: \"%s\" is no number up to %llu\n", text, (unsigned long long)max);
	return false;
}

// Longer ones would be cut where they are kept, within a character perhaps.
static bool read_reason(char *text, char **reason)
{
	_Static_assert((int)RESPOND_REASON == (int)SUPPRESSION_REASON, "one limit for both");

	*reason = text;
	if (strlen(text) < RESPOND_REASON)
		return true;
	fprintf(stderr, "sekimori: a reason has at most %d bytes\n", RESPOND_REASON - 1);
	return false;
}

bool ask_real(const char *text, double *x)
{
	char *end;

	*x = strtod(text, &end);
	if (end != text && !*end && *x >= 0 && *x <= 1e6)
		return true;
	fprintf(stderr, "sekimori: \"%s\" is no number\n", text);
	return false;
}

static bool read_option(struct ask *a, int c)
{
	Control__Request *q = &a->request;
	uint64_t n = 0;

	switch (c) {
	case 'j': a->json = true; return true;
	case 'y': a->yes = true; return true;
	case 'r': a->run_dir = optarg; return true;
	case 'B': return ask_real(optarg, &q->blocks_per_day);
	case 'l': q->lang = optarg; return !strcmp(optarg, "en") || !strcmp(optarg, "ja");
	case 'R': return read_reason(optarg, &q->reason);
	case 'U': q->transport = 17; return true;
	case 'S': a->state = optarg; return true;
	case 'D': a->policy_dir = optarg; return true;
	case 'a': a->all = true; return true;
	case 'N': q->policy = optarg; return true;
	case 'd': q->address = optarg; return true;
	case 'e': q->endpoint = optarg; return true;
	case 'C': q->certain = true; return true;
	case 'n': return read_number(optarg, 100000, &q->limit);
	case 'b': return read_length(optarg, &q->for_ns);
	case 'u': return read_time(optarg, &q->until_ns);
	case 's':
		if (!read_duration(optarg, &n))
			return false;
		q->since_ns = unix_now() - n;
		return true;
	case 'p':
		if (!read_number(optarg, 65535, &n))
			return false;
		q->port = (uint32_t)n;
		q->transport = q->transport ? q->transport : 6;
		return true;
	case 'P':
		if (!read_number(optarg, 5, &n))
			return false;
		q->min_priority = (uint32_t)n;
		return true;
	default: return false;
	}
}

int ask_read(struct ask *a, int argc, char **argv, const char *help)
{
	return ask_read_words(a, argc, argv, help, 2);
}

int ask_read_words(struct ask *a, int argc, char **argv, const char *help, int words)
{
	int c;

	*a = (struct ask){.noun = argv[0], .run_dir = getenv("SEKIMORI_RUN_DIR") ? getenv("SEKIMORI_RUN_DIR") : "/run/sekimori"};
	control__request__init(&a->request);
	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return EXIT_DONE;
		}
		if (!read_option(a, c)) {
			fputs(help, stderr);
			return EXIT_USAGE;
		}
	}
	a->verb = optind < argc ? argv[optind] : NULL;
	a->target = optind + 1 < argc ? argv[optind + 1] : NULL;
	a->other = optind + 2 < argc ? argv[optind + 2] : NULL;
	if (argc - optind > words) {
		fprintf(stderr, "sekimori %s: too many words from \"%s\" on\n%s", a->noun, argv[optind + words], help);
		return EXIT_USAGE;
	}
	return -1;
}

static int exit_of(int error)
{
	switch (error) {
	case 0: return EXIT_DONE;
	case ENOENT: return EXIT_NOTHING;
	case EPERM: return EXIT_REFUSED;
	case EINVAL: return EXIT_USAGE;
	default: return EXIT_FAILED;
	}
}

Control__Reply *ask_call(struct ask *a, const char *process, int *status)
{
	char path[4096], said[4096];
	Control__Reply *reply;

	snprintf(path, sizeof(path), "%s/%s.sock", a->run_dir, process);
	reply = control_call(path, &a->request, CALL_MS);
	if (!reply && (errno == EACCES || errno == EPERM)) {
		fprintf(stderr, "sekimori: %s: refused: root or group \"sekimori\" may ask\n", path);
		*status = EXIT_REFUSED;
		return NULL;
	}
	if (!reply) {
		fprintf(stderr, "sekimori: sekimori-%s does not answer at %s: %s\n", process, path, strerror(errno));
		*status = EXIT_UNREACHABLE;
		return NULL;
	}
	*status = exit_of(reply->error);
	if (*reply->message) { // why not, or what to know; a policy's words may be in it
		text_printable(bytes_of_text(reply->message), said, sizeof(said));
		fprintf(stderr, "sekimori: %s\n", said);
	}
	if (!reply->error)
		return reply;
	control__reply__free_unpacked(reply, NULL);
	return NULL;
}

bool ask_id(struct ask *a)
{
	if (a->target && bytes_to_u64(bytes_of_text(a->target), UINT64_MAX, &a->request.id) == 0 && a->request.id)
		return true; // 0 would ask for all
	fprintf(stderr, "sekimori %s %s: a number was expected\n", a->noun, a->verb);
	return false;
}
