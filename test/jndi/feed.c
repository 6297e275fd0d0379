// SPDX-License-Identifier: GPL-2.0-or-later
// Feeds requests to the parsers as a flow's worker does, each on a connection of its own and cut at a drawn byte, and
// says of each whether the right look-up was seen. "variants" reads records of variants.py and answers each with a line
// "class TAB place TAB encoding TAB found|other|missed TAB what was seen"; "ordinary" makes the requests itself, counts
// the look-ups seen, and prints the requests that gave one. "worst" measures.
#include "feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NAME_BYTES = 256, SEEN_BYTES = 600, SHOWN = 5 };

struct record {
	char class[64], place[64], encoding[64], scheme[NAME_BYTES], host[NAME_BYTES];
	unsigned port;
};

struct watch {
	const struct record *wanted; // NULL: nothing is
	unsigned seen;
	bool right, port_right;
	char what[SEEN_BYTES]; // the last one
};

static void watch_emit(void *user, struct observation *o)
{
	struct watch *w = user;
	struct bytes scheme, host, decoded;

	if (o->kind != OBS_JNDI)
		return;
	w->seen++;
	scheme = observation_text(o, TEXT_JNDI_SCHEME);
	host = observation_text(o, TEXT_JNDI_HOST);
	decoded = observation_text(o, TEXT_JNDI_DECODED);
	snprintf(w->what, sizeof(w->what), "%.*s|%.*s|%.*s", (int)scheme.left, (const char *)scheme.at, (int)host.left,
		 (const char *)host.at, (int)decoded.left, (const char *)decoded.at);
	if (w->wanted && bytes_equal_nocase(scheme, w->wanted->scheme) && bytes_equal_nocase(host, w->wanted->host)) {
		w->right = true;
		w->port_right = w->port_right || o->number[NUM_JNDI_PORT] == w->wanted->port;
	}
}

static void feed(struct proto_pool *pool, struct counters *counters, struct bytes data, size_t cut, struct watch *watch)
{
	static const struct proto_flow flow = {
		.direction = DIRECTION_IN, .transport = 6, .client_port = 40000, .server_port = 8080};
	const struct proto_sink sink = {.emit = watch_emit, .user = watch, .counters = counters};
	uint32_t context = proto_open(pool);
	struct proto_input in = {.from_client = true, .from_outside = true, .flow = &flow};
	uint8_t app = APP_UNKNOWN;

	in.data = bytes_head(data, cut);
	if (in.data.left)
		proto_feed(pool, context, &in, &sink, &app);
	in.data = bytes_from(data, cut);
	if (in.data.left)
		proto_feed(pool, context, &in, &sink, &app);
	proto_half_close(pool, context, true, &flow, &sink);
	proto_close(pool, context);
}

// The next tab-separated word; moves *line behind it.
static void word(char **line, char *out, size_t cap)
{
	size_t n = strcspn(*line, "\t\n");

	snprintf(out, cap, "%.*s", (int)n, *line);
	*line += n + ((*line)[n] != '\0');
}

static bool record_read(FILE *file, struct record *r, struct request *request)
{
	char line[1024], number[32], *at = line;

	if (!fgets(line, sizeof(line), file))
		return false;
	word(&at, r->class, sizeof(r->class));
	word(&at, r->place, sizeof(r->place));
	word(&at, r->encoding, sizeof(r->encoding));
	word(&at, r->scheme, sizeof(r->scheme));
	word(&at, r->host, sizeof(r->host));
	word(&at, number, sizeof(number));
	r->port = (unsigned)strtoul(number, NULL, 10);
	word(&at, number, sizeof(number));
	request->length = strtoul(number, NULL, 10);
	return request->length < sizeof(request->at) &&
	       fread(request->at, 1, request->length + 1, file) == request->length + 1;
}

static int variants(struct proto_pool *pool, struct counters *counters)
{
	static struct request request;
	struct draw draw = {88172645463325252ull};
	struct record r;

	while (record_read(stdin, &r, &request)) {
		struct watch w = {.wanted = &r};

		feed(pool, counters, bytes_of(request.at, request.length), draw_below(&draw, (unsigned)request.length),
		     &w);
		printf("%s\t%s\t%s\t%s\t%s\n", r.class, r.place, r.encoding,
		       !w.right       ? (w.seen ? "other" : "missed")
		       : w.port_right ? "found"
				      : "port",
		       w.what);
	}
	return ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int ordinary(struct proto_pool *pool, struct counters *counters, unsigned long count, uint64_t seed)
{
	static struct request request;
	struct draw draw = {seed * 2862933555777941757ull + 3037000493ull};
	unsigned long hits = 0;
	uint64_t bytes = 0;
	double began = now_s();

	for (unsigned long i = 0; i < count; i++) {
		struct watch w = {0};

		ordinary_request(&draw, &request);
		bytes += request.length;
		feed(pool, counters, bytes_of(request.at, request.length), draw_below(&draw, (unsigned)request.length),
		     &w);
		hits += w.seen != 0;
		if (w.seen && hits <= SHOWN)
			printf("HIT %lu: %s: %.*s\n", i, w.what, (int)(request.length < 300 ? request.length : 300),
			       request.at);
	}
	printf("ordinary requests %lu, bytes %lu, hits %lu, out of budget %lu, CPU s %.1f\n", count,
	       (unsigned long)bytes, hits, (unsigned long)counters->value[COUNT_PROTO_BUDGET], now_s() - began);
	return hits ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct counters counters;
	struct proto_pool *pool = proto_pool_create(4, &counters);
	int status = EXIT_SUCCESS;

	if (!pool || argc < 2) {
		fprintf(stderr, "usage: jndi_feed variants <records | ordinary COUNT SEED | worst TRIES SEED\n");
		return 2;
	}
	if (strcmp(argv[1], "ordinary") == 0 && argc == 4)
		status = ordinary(pool, &counters, strtoul(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	else if (strcmp(argv[1], "worst") == 0 && argc == 4)
		worst_search((unsigned)strtoul(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	else
		status = variants(pool, &counters);
	proto_pool_destroy(pool);
	return status;
}
