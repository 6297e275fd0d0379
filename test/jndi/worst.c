// SPDX-License-Identifier: GPL-2.0-or-later
// What is the most a field can cost? Fields are made of one or two patterns of the pieces that look-ups and escapes are
// made of, and the costliest is varied further. Time is the best of a few rounds, so that other programs disturb
// little; growth is told by work counted, of the costlier of some lengths close together (a cut may add or spare a
// layer).
#include "feed.h"
#include "jndi_impl.h"

#include <stdio.h>
#include <time.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

enum { PIECES = 6, ROUNDS = 3, ROUNDS_OF_WORST = 15, CLOSE_LENGTHS = 24 };

static const char *const pieces[] = {
	"${",
	"}",
	":",
	":-",
	"jndi:",
	"${jndi:",
	"${lower:",
	"${upper:",
	"${date:'",
	"${base64:",
	"$",
	"{",
	"%24",
	"%7b",
	"%25",
	"%2524",
	"\\u0024",
	"\\u007b",
	"\\x7b",
	"\\\\",
	"\\",
	"&",
	"&#36;",
	"&#",
	"&lbrace;",
	"&amp;",
	"&a",
	"&l",
	"\xc4\xb1",
	"ldap://",
	"a",
	"-",
	"SHtq",
	"%",
	"\xef\xac\x81",
	"[",
	"]",
	"%7d",
	"\\u007d",
	"\\44",
	"&dollar;",
	"${::-",
	"${x:-",
	"$${",
	"${}",
	"${:-}",
	"${a:-$}",
	"%u0024",
	"%c0%a4",
	"\xc0\xa4",
	"%e0%80%a4",
	"&rbrace;",
	"\\uuuuuuuu",
	"&#0000000",
	"%5c",
	"%26",
	"://",
	"${jndi:ldap://",
	"${lower:${",
	"}}",
	"${jndi:a}",
	"${:-${jndi:a}}",
	"\\u005c",
	"&bsol;",
	"%2525",
	"\\\\\\\\",
	"&amp;amp;",
	"${a:",
	"${base64:JHtq",
	"x",
	"${a:\\-b}",
	"'",
};

struct pattern {
	unsigned count[2]; // of piece[]; count[1] 0: one pattern all along
	unsigned piece[2][PIECES];
};

static size_t fill(const struct pattern *p, unsigned half, uint8_t *out, size_t at, size_t end)
{
	for (unsigned i = 0;; i++) {
		const char *piece = pieces[p->piece[half][i % p->count[half]]];
		size_t n = strlen(piece);

		if (at + n > end)
			return at;
		memcpy(out + at, piece, n);
		at += n;
	}
}

static struct bytes build(const struct pattern *p, uint8_t *out, size_t n)
{
	size_t at = fill(p, 0, out, 0, p->count[1] ? n / 2 : n);

	if (p->count[1])
		at = fill(p, 1, out, at, n);
	memset(out + at, 'x', n - at);
	return bytes_of(out, n);
}

static void draw_pattern(struct draw *d, const struct pattern *best, struct pattern *p)
{
	unsigned half = draw_below(d, 2);

	if (best->count[0] && draw_below(d, 4)) { // vary what is worst
		*p = *best;
		if (draw_below(d, 3) == 0)
			p->count[half] = half + draw_below(d, PIECES) + !half;
		p->count[half] = p->count[half] > PIECES ? PIECES : p->count[half];
		p->piece[half][draw_below(d, PIECES)] = draw_below(d, COUNT_OF(pieces));
		return;
	}
	p->count[0] = 1 + draw_below(d, PIECES);
	p->count[1] = draw_below(d, 2) * (1 + draw_below(d, PIECES));
	for (unsigned i = 0; i < 2 * PIECES; i++)
		p->piece[i / PIECES][i % PIECES] = draw_below(d, COUNT_OF(pieces));
}

static void take(void *user, struct observation *o)
{
	*(size_t *)user += o->size_bytes;
}

static double microseconds(struct bytes field, unsigned rounds)
{
	static struct counters counters;
	static const struct proto_flow flow = {.direction = DIRECTION_IN, .transport = 6};
	const struct proto_input in = {.from_client = true, .from_outside = true, .flow = &flow};
	size_t taken = 0;
	const struct proto_sink sink = {.emit = take, .user = &taken, .counters = &counters};
	double best = 1e9;

	for (unsigned i = 0; i < rounds; i++) {
		struct timespec a, b;
		double took;

		clock_gettime(CLOCK_MONOTONIC, &a);
		jndi_scan(field, "body", &in, &sink, APP_HTTP);
		clock_gettime(CLOCK_MONOTONIC, &b);
		took = (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
		best = took < best ? took : best;
	}
	return best;
}

static uint32_t most_work(const struct pattern *p, uint8_t *out, size_t n)
{
	uint32_t most = 0, given;

	for (size_t less = 0; less < CLOSE_LENGTHS; less++) {
		uint32_t work = jndi_work_of(build(p, out, n - less), &given);

		most = work > most ? work : most;
	}
	return most;
}

static void print(const char *what, double value, const struct pattern *p)
{
	printf("%s %.2f:", what, value);
	for (unsigned half = 0; half < 2; half++) {
		for (unsigned i = 0; i < p->count[half]; i++)
			printf(" %s", pieces[p->piece[half][i]]);
		printf(half ? "\n" : p->count[1] ? " |" : "");
	}
}

static void ordinary_costs(void)
{
	static const char *const fields[] = {
		"www.example.com",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
		"_ga=GA1.2.1234567890.1700000000; sid=0123456789abcdef0123456789abcdef; theme=dark; csrf=abcdef",
		"GET /index.php?a=1&q=hello%20world%2Ffoo&utm_source=x HTTP/1.1",
	};

	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		struct bytes field = bytes_of_text(fields[i]);
		double best = 1e9;

		for (unsigned round = 0; round < 50; round++) {
			struct timespec a, b;
			volatile bool may = false;
			double took;

			clock_gettime(CLOCK_MONOTONIC, &a);
			for (unsigned n = 0; n < 1000; n++)
				may = jndi_may_hold(field);
			clock_gettime(CLOCK_MONOTONIC, &b);
			took = (double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3;
			best = took < best ? took : best;
			(void)may;
		}
		printf("quick look: %.1f ns for %zu bytes: %s\n", best, field.left, fields[i]);
	}
}

void worst_search(unsigned tries, uint64_t seed)
{
	static uint8_t field[JNDI_FIELD_BYTES];
	struct draw d = {seed * 2862933555777941757ull + 3037000493ull};
	struct pattern best = {{0}}, growing = {{0}}, p;
	double worst = 0, growth = 0;

	ordinary_costs();
	for (unsigned i = 0; i < tries; i++) {
		double took, grew;

		draw_pattern(&d, &best, &p);
		took = microseconds(build(&p, field, sizeof(field)), ROUNDS);
		if (took > worst)
			took = microseconds(build(&p, field, sizeof(field)), ROUNDS_OF_WORST);
		if (took > worst) {
			worst = took;
			best = p;
		}
		if (took < 20)
			continue;
		grew = (double)most_work(&p, field, sizeof(field)) / most_work(&p, field, sizeof(field) / 2);
		if (grew > growth) {
			growth = grew;
			growing = p;
		}
	}
	print("worst of 8 KiB, us", worst, &best);
	print("work at 8 KiB over work at 4 KiB, most", growth, &growing);
}
