// SPDX-License-Identifier: GPL-2.0-or-later
// Reading the journal. Records are copied out of the file and checked before anybody sees them: version, size, counts
// in range, texts with an end.
#include "journal_impl.h"

#include "text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { LINE_BYTES = 2048 };

// Whatever the file says, a text ends inside its field and moves nobody's cursor.
void journal_end(char *text, size_t cap)
{
	struct bytes left;
	uint32_t c;

	text[cap - 1] = 0;
	for (left = bytes_of_text(text); left.left;) {
		size_t n = text_character(left, &c);

		if (n == 0 || text_is_unsafe(c))
			memset(text + (left.at - (const uint8_t *)text), '?', n ? n : 1);
		left = bytes_from(left, n ? n : 1);
	}
}

static bool head_fits(const void *record, size_t bytes)
{
	const uint32_t *head = record; // all three records begin with version and size

	return head[0] == ALERT_VERSION && head[1] == bytes;
}

#define MOST_LEVEL (1ll << 52) // microbits; nobody's evidence comes near it

// Who makes the numbers again goes by these. A comparison with what is no number is false.
static bool check_numbers(struct alert *a)
{
	for (unsigned n = 0; n < EVIDENCE_SPEEDS; n++)
		if (a->proof.before.level[n] > MOST_LEVEL || a->proof.before.level[n] < -MOST_LEVEL)
			return false;
	if (!(a->weight >= 0 && a->weight <= 1000))
		return false;
	for (unsigned n = 0; n < ALERT_TERMS; n++)
		if (a->term[n].model.levels > BACKOFF_LEVELS)
			return false;
	return a->terms <= ALERT_TERMS && a->proof.items <= EVIDENCE_ITEMS &&
	       (a->score.class == SCORE_NONE || journal_score_fits(&a->score));
}

static bool check_alert(union record *r)
{
	struct alert *a = &r->alert;

	for (unsigned n = 0; n < ALERT_TERMS; n++)
		END(a->term[n].value);
	for (unsigned n = 0; n < 3; n++)
		END(a->mitre[n]);
	END(a->policy);
	END(a->uri);
	END(a->host);
	END(a->agent);
	END(a->file);
	END(a->detail);
	END(a->group);
	END(a->baseline);
	return head_fits(a, sizeof(*a)) && a->phase < PHASE_COUNT && check_numbers(a);
}

static bool check_incident(union record *r)
{
	const struct incident *i = &r->incident;

	return head_fits(i, sizeof(*i)) && i->devices <= INCIDENT_DEVICES && i->endpoints <= INCIDENT_ENDPOINTS;
}

static bool check_block(union record *r)
{
	struct block *b = &r->block;

	END(b->policy);
	END(b->reason);
	END(b->who);
	return head_fits(b, sizeof(*b)) && b->state < BLOCK_STATES;
}

static bool tell_alert(union record_fn fn, void *user, const union record *r)
{
	return fn.alert(user, &r->alert);
}

static bool tell_incident(union record_fn fn, void *user, const union record *r)
{
	return fn.incident(user, &r->incident);
}

static bool tell_block(union record_fn fn, void *user, const union record *r)
{
	return fn.block(user, &r->block);
}

static const struct record_kind alert_kind = {sizeof(struct alert), check_alert, tell_alert};
static const struct record_kind incident_kind = {sizeof(struct incident), check_incident, tell_incident};
static const struct record_kind block_kind = {sizeof(struct block), check_block, tell_block};

// A statement of its own for each reading, so that what is called back may read, too.
static int prepare(struct journal *j, enum journal_statement which, const struct journal_query *q, sqlite3_stmt **s)
{
	static const struct journal_query everything;
	char device[ADDRESS_TEXT_BYTES] = "";
	int rc = journal_ready(j);

	if (rc)
		return rc;
	rc = journal_result(j, sqlite3_prepare_v2(j->db, sqlite3_sql(j->statement[which]), -1, s, NULL));
	if (rc)
		return rc;
	if (!q)
		q = &everything;
	if (address_is_set(&q->device))
		address_format(&q->device, device);
	sqlite3_bind_int64(*s, 1, (sqlite3_int64)q->id);
	sqlite3_bind_int64(*s, 2, (sqlite3_int64)q->incident);
	sqlite3_bind_int64(*s, 3, (sqlite3_int64)q->since_ns);
	sqlite3_bind_int64(*s, 4, (sqlite3_int64)q->until_ns);
	sqlite3_bind_int64(*s, 5, q->min_priority);
	sqlite3_bind_text(*s, 6, device, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(*s, 7, q->limit ? (sqlite3_int64)q->limit : -1);
	return 0;
}

int journal_each(struct journal *j, enum journal_statement which, const struct journal_query *q,
		 const struct record_kind *kind, union record_fn fn, void *user)
{
	sqlite3_stmt *s = NULL;
	union record r;
	int told = 0, step = SQLITE_DONE, rc = prepare(j, which, q, &s);

	while (!rc && (step = sqlite3_step(s)) == SQLITE_ROW) {
		if ((size_t)sqlite3_column_bytes(s, 0) != kind->bytes)
			continue; // of another version: not ours to read
		memcpy(&r, sqlite3_column_blob(s, 0), kind->bytes);
		if (!kind->check(&r))
			continue;
		told++;
		if (!kind->tell(fn, user, &r))
			break;
	}
	sqlite3_finalize(s);
	if (!rc)
		rc = journal_result(j, step);
	return rc ? rc : told;
}

int journal_alerts(struct journal *j, const struct journal_query *q, bool (*fn)(void *user, const struct alert *a),
		   void *user)
{
	return journal_each(j, GET_ALERTS, q, &alert_kind, (union record_fn){.alert = fn}, user);
}

int journal_incidents(struct journal *j, const struct journal_query *q,
		      bool (*fn)(void *user, const struct incident *i), void *user)
{
	return journal_each(j, GET_INCIDENTS, q, &incident_kind, (union record_fn){.incident = fn}, user);
}

int journal_blocks(struct journal *j, const struct journal_query *q, bool (*fn)(void *user, const struct block *b),
		   void *user)
{
	return journal_each(j, GET_BLOCKS, q, &block_kind, (union record_fn){.block = fn}, user);
}

int journal_meta_get(struct journal *j, const char *key, char *value, size_t cap)
{
	int rc = journal_ready(j);
	sqlite3_stmt *s;

	if (rc)
		return rc;
	s = journal_statement(j, GET_META);
	sqlite3_bind_text(s, 1, key, -1, SQLITE_TRANSIENT);
	rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		snprintf(value, cap, "%s", (const char *)sqlite3_column_text(s, 0));
	sqlite3_reset(s);
	return rc == SQLITE_DONE ? -ENOENT : journal_result(j, rc);
}

static const struct {
	const char *name, *text;
} largest[] = {
	{"alert", "SELECT max(id) FROM alert"},
	{"incident", "SELECT max(id) FROM incident"},
	{"block", "SELECT max(id) FROM block"},
	{"suppression", "SELECT max(id) FROM suppression"},
};

uint64_t journal_next(struct journal *j, const char *table)
{
	uint64_t next = 1;

	for (size_t n = 0; n < sizeof(largest) / sizeof(largest[0]); n++) {
		sqlite3_stmt *s = NULL;

		if (strcmp(largest[n].name, table) != 0 || journal_ready(j) != 0)
			continue;
		if (sqlite3_prepare_v2(j->db, largest[n].text, -1, &s, NULL) == SQLITE_OK &&
		    sqlite3_step(s) == SQLITE_ROW)
			next = (uint64_t)sqlite3_column_int64(s, 0) + 1;
		sqlite3_finalize(s);
	}
	return next;
}

int journal_unread(struct journal *j)
{
	static const uint32_t version = ALERT_VERSION; // as the first four bytes of a record
	sqlite3_stmt *s = NULL;
	int found = 0, rc = journal_ready(j);

	if (rc)
		return rc;
	rc = sqlite3_prepare_v2(
		j->db, "SELECT count(*) FROM alert WHERE length(record)!=?1 OR substr(record,1,4)!=?2", -1, &s, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(s, 1, (sqlite3_int64)sizeof(struct alert));
		sqlite3_bind_blob(s, 2, &version, sizeof(version), SQLITE_STATIC);
		rc = sqlite3_step(s);
	}
	if (rc == SQLITE_ROW)
		found = sqlite3_column_int(s, 0);
	sqlite3_finalize(s);
	rc = journal_result(j, rc);
	return rc ? rc : found;
}

// --- everything as text ---

struct dump {
	void (*line)(void *user, const char *text);
	void *user;
};

static void __attribute__((format(printf, 2, 3))) say(const struct dump *d, const char *format, ...)
{
	char text[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	d->line(d->user, text);
}

// Three decimals without printf's %f: its point depends on the locale.
static const char *fixed(double value, char out[32])
{
	bool sane = value > -1e12 && value < 1e12; // also false for what is no number
	long long thousandths = sane ? (long long)(value * 1000 + (value < 0 ? -0.5 : 0.5)) : 0;

	snprintf(out, 32, "%lld.%03lld", thousandths / 1000, (thousandths < 0 ? -thousandths : thousandths) % 1000);
	return out;
}

static bool dump_alert(void *user, const struct alert *a)
{
	const struct dump *d = user;
	char time[TEXT_TIME_BYTES], device[ADDRESS_TEXT_BYTES], endpoint[ADDRESS_TEXT_BYTES], bits[32];

	say(d,
	    "alert %llu %s %s@%u priority %u phase %s device %s endpoint %s port %u bits %s response %s incident %llu "
	    "block %llu "
	    "repeats %u facts 0x%x frame %llu",
	    (unsigned long long)a->id, time_format(a->time_ns, time), a->policy, a->policy_version, a->priority,
	    phase_name(a->phase), address_format(&a->device, device), address_format(&a->endpoint, endpoint),
	    a->endpoint_port, fixed(a->bits, bits), response_name(a->response), (unsigned long long)a->incident,
	    (unsigned long long)a->block, a->repeats, a->facts, (unsigned long long)a->frame);
	say(d, "  uri %s host %s agent %s file %s detail %s baseline %s", a->uri, a->host, a->agent, a->file, a->detail,
	    a->baseline);
	for (unsigned n = 0; n < a->terms; n++) {
		const struct alert_term *t = &a->term[n];

		say(d, "  term %s \"%s\" device %u/%u peers %u/%u organisation %u/%u bits %s", feature_name(t->feature),
		    t->value, t->counts.device_days, t->counts.device_known, t->counts.peers, t->counts.peers_total,
		    t->counts.org, t->counts.org_total, fixed(t->bits, bits));
	}
	return true;
}

static bool dump_incident(void *user, const struct incident *i)
{
	char first[TEXT_TIME_BYTES], last[TEXT_TIME_BYTES], score[32];
	char devices[JOURNAL_ADDRESSES_BYTES], endpoints[JOURNAL_ADDRESSES_BYTES];

	journal_addresses(i->device, i->devices, devices);
	journal_addresses(i->endpoint, i->endpoints, endpoints);
	say(user,
	    "incident %llu %s..%s state %u priority %u score %s alerts %u phases 0x%x merged-into %llu "
	    "devices%sendpoints%s",
	    (unsigned long long)i->id, time_format(i->first_ns, first), time_format(i->last_ns, last), i->state,
	    i->priority, fixed(i->score, score), i->alerts, i->phases, (unsigned long long)i->merged_into, devices,
	    endpoints);
	return true;
}

static bool dump_block(void *user, const struct block *b)
{
	char made[TEXT_TIME_BYTES], end[TEXT_TIME_BYTES], endpoint[ADDRESS_TEXT_BYTES];

	say(user, "block %llu %s..%s %s %s/%u port %u transport %u incident %llu alert %llu extensions %u by %s: %s",
	    (unsigned long long)b->id, time_format(b->made_ns, made), time_format(b->expires_ns, end),
	    block_state_name(b->state), address_format(&b->endpoint, endpoint), b->endpoint_bits, b->port, b->transport,
	    (unsigned long long)b->incident, (unsigned long long)b->alert, b->extensions, b->who, b->reason);
	return true;
}

static bool dump_score(void *user, const struct score *s)
{
	char time[TEXT_TIME_BYTES], device[ADDRESS_TEXT_BYTES], endpoint[ADDRESS_TEXT_BYTES];

	say(user, "score %s %s device %s endpoint %s port %u key %016llx microbits %d", time_format(s->time_ns, time),
	    score_class_name(s->class), address_format(&s->device, device), address_format(&s->endpoint, endpoint),
	    s->endpoint_port, (unsigned long long)s->key, s->microbits);
	return true;
}

static int dump_texts(struct journal *j, const char *query, struct dump *d, bool timed)
{
	sqlite3_stmt *s = NULL;
	char time[TEXT_TIME_BYTES];
	int rc = sqlite3_prepare_v2(j->db, query, -1, &s, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(s);
		if (rc != SQLITE_ROW)
			break;
		if (timed)
			say(d, "audit %s %s: %s: %s", time_format((uint64_t)sqlite3_column_int64(s, 0), time),
			    sqlite3_column_text(s, 1), sqlite3_column_text(s, 2), sqlite3_column_text(s, 3));
		else
			say(d, "meta %s=%s", sqlite3_column_text(s, 0), sqlite3_column_text(s, 1));
	}
	sqlite3_finalize(s);
	return journal_result(j, rc);
}

// Told by id, merged incidents included.
static int dump_records(struct journal *j, const char *table, const struct record_kind *kind, union record_fn fn,
			struct dump *d)
{
	char query[64];
	sqlite3_stmt *s = NULL;
	union record r;
	int rc;

	snprintf(query, sizeof(query), "SELECT record FROM %s ORDER BY id", table);
	rc = sqlite3_prepare_v2(j->db, query, -1, &s, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(s);
		if (rc != SQLITE_ROW)
			break;
		if ((size_t)sqlite3_column_bytes(s, 0) != kind->bytes)
			continue;
		memcpy(&r, sqlite3_column_blob(s, 0), kind->bytes);
		if (kind->check(&r))
			kind->tell(fn, d, &r);
	}
	sqlite3_finalize(s);
	return journal_result(j, rc);
}

int journal_dump(struct journal *j, void (*line)(void *user, const char *text), void *user)
{
	struct dump d = {line, user};
	int rc = journal_ready(j);

	if (!rc)
		rc = dump_records(j, "alert", &alert_kind, (union record_fn){.alert = dump_alert}, &d);
	if (!rc)
		rc = dump_records(j, "incident", &incident_kind, (union record_fn){.incident = dump_incident}, &d);
	if (!rc)
		rc = dump_records(j, "block", &block_kind, (union record_fn){.block = dump_block}, &d);
	if (!rc)
		rc = journal_scores(j, NULL, dump_score, &d) < 0 ? -EIO : 0;
	if (!rc)
		rc = dump_texts(j, "SELECT time_ns, who, what, detail FROM audit ORDER BY n", &d, true);
	if (!rc)
		rc = dump_texts(j, "SELECT key, value FROM meta ORDER BY key", &d, false);
	return rc;
}
