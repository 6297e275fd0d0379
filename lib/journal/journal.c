// SPDX-License-Identifier: GPL-2.0-or-later
// The journal's file: opening, setting a damaged one aside, transactions, writing. Reading stands in read.c.
// synchronous=FULL holds for all; what makes alerts cheap is that many share one commit.
#include "journal_impl.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	SCHEMA_VERSION = 2, // 1 had no scores
	OLDEST_VERSION = 1, // that is brought up to date when it is opened
	APPLICATION_ID = 0x53454b49, // "SEKI", so that file(1) and we know the file
	DAMAGED_MOST = 1000,
	BUSY_MS = 200,               // somebody works on it with sqlite3(1): wait that long, not longer
	BUSY_AGAIN_MS = 1000,        // and not again for each row that comes meanwhile
	CHECK_MOST_BYTES = 64 << 20, // a full check of more would hold up the start; damage there shows when it is read
};

static const char schema[] =
	"CREATE TABLE alert(id INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, incident INTEGER NOT NULL,"
	" policy TEXT NOT NULL, priority INTEGER NOT NULL, device TEXT NOT NULL, endpoint TEXT NOT NULL,"
	" endpoint_port INTEGER NOT NULL, bits REAL NOT NULL, response TEXT NOT NULL, block INTEGER NOT NULL,"
	" record BLOB NOT NULL);"
	"CREATE INDEX alert_time ON alert(time_ns);"
	"CREATE INDEX alert_incident ON alert(incident);"
	"CREATE TABLE incident(id INTEGER PRIMARY KEY, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
	" state INTEGER NOT NULL, priority INTEGER NOT NULL, score REAL NOT NULL, alerts INTEGER NOT NULL,"
	" merged_into INTEGER NOT NULL, devices TEXT NOT NULL, endpoints TEXT NOT NULL, record BLOB NOT NULL);"
	"CREATE INDEX incident_last ON incident(last_ns);"
	"CREATE TABLE block(id INTEGER PRIMARY KEY, made_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL,"
	" state TEXT NOT NULL, endpoint TEXT NOT NULL, bits INTEGER NOT NULL, port INTEGER NOT NULL,"
	" transport INTEGER NOT NULL, incident INTEGER NOT NULL, who TEXT NOT NULL, record BLOB NOT NULL);"
	"CREATE INDEX block_made ON block(made_ns);"
	"CREATE TABLE audit(n INTEGER PRIMARY KEY AUTOINCREMENT, time_ns INTEGER NOT NULL, who TEXT NOT NULL,"
	" what TEXT NOT NULL, detail TEXT NOT NULL);"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

// What version 2 added. `n` counts up as they were judged, so the oldest come first.
static const char added[] =
	"CREATE TABLE score(n INTEGER PRIMARY KEY, key INTEGER NOT NULL, time_ns INTEGER NOT NULL,"
	" device TEXT NOT NULL, class TEXT NOT NULL, microbits INTEGER NOT NULL, record BLOB NOT NULL);"
	"CREATE INDEX score_key ON score(key);"
	"CREATE INDEX score_device ON score(device, time_ns);"
	"CREATE INDEX score_time ON score(time_ns);"
	"CREATE TABLE suppression(id INTEGER PRIMARY KEY, made_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL,"
	" removed_ns INTEGER NOT NULL, reason TEXT NOT NULL, who TEXT NOT NULL, record BLOB NOT NULL);";

// Of incident ?2, and of those that became part of it, or of one that did. UNION ends where a file goes in circles.
#define IS_PART_OF_2                                                                                                   \
	"(?2=0 OR incident=?2 OR incident IN (WITH RECURSIVE part(id) AS (VALUES(?2) UNION SELECT incident.id FROM"     \
	" incident JOIN part ON incident.merged_into=part.id) SELECT id FROM part))"

static const char *const texts[STATEMENTS] = {
	[PUT_ALERT] = "INSERT OR REPLACE INTO alert VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
	[PUT_INCIDENT] = "INSERT OR REPLACE INTO incident VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
	[PUT_BLOCK] = "INSERT OR REPLACE INTO block VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
	[PUT_AUDIT] = "INSERT INTO audit(time_ns,who,what,detail) VALUES(?1,?2,?3,?4)",
	[PUT_META] = "INSERT OR REPLACE INTO meta VALUES(?1,?2)",
	[GET_META] = "SELECT value FROM meta WHERE key=?1",
	// 0 and '' = any; "since" is inclusive, "until" exclusive. The newest `limit` of them, then told in time order.
	[GET_ALERTS] = "SELECT record FROM (SELECT id, time_ns, record FROM alert WHERE (?1=0 OR id=?1)"
		       " AND " IS_PART_OF_2 " AND time_ns>=?3 AND (?4=0 OR time_ns<?4)"
		       " AND priority>=?5 AND (?6='' OR device=?6)"
		       " ORDER BY time_ns DESC, id DESC LIMIT ?7) ORDER BY time_ns, id",
	// What became part of another is that other's story; it is shown only to who asks for it by id.
	[GET_INCIDENTS] = "SELECT record FROM incident WHERE (?1=0 OR id=?1) AND (?2=0 OR id=?2) AND last_ns>=?3"
			  " AND (?4=0 OR first_ns<?4) AND priority>=?5 AND (?6='' OR devices LIKE '% '||?6||' %')"
			  " AND (merged_into=0 OR ?1!=0 OR ?2!=0) ORDER BY score DESC, id LIMIT ?7",
	[GET_BLOCKS] = "SELECT record FROM (SELECT id, made_ns, record FROM block WHERE (?1=0 OR id=?1)"
		       " AND " IS_PART_OF_2 " AND expires_ns>=?3 AND (?4=0 OR made_ns<?4) AND ?5>=0 AND ?6=?6"
		       " ORDER BY made_ns DESC, id DESC LIMIT ?7) ORDER BY made_ns, id",
	[PUT_SCORE] = "INSERT INTO score(key,time_ns,device,class,microbits,record) VALUES(?1,?2,?3,?4,?5,?6)",
	// Those first judged are looked at, however many there are: the work is bounded.
	[TRIM_SCORES] = "DELETE FROM score WHERE n IN (SELECT n FROM score ORDER BY n LIMIT ?1)"
			" AND (time_ns<?2 OR n<=(SELECT max(n) FROM score)-?3)",
	[TRIM_NOTES] = "DELETE FROM alert WHERE id IN (SELECT id FROM alert WHERE priority<=1 AND id>?2 AND id<=?3 ORDER BY id LIMIT ?1)",
	[GET_SCORES] = "SELECT record FROM (SELECT n, time_ns, record FROM score WHERE ?1=?1 AND ?2=?2 AND time_ns>=?3"
		       " AND (?4=0 OR time_ns<?4) AND ?5=?5 AND (?6='' OR device=?6)"
		       " ORDER BY time_ns DESC, n DESC LIMIT ?7) ORDER BY time_ns, n",
	[GET_SCORES_OF] = "SELECT record FROM score WHERE key=?1 AND ?2=?2 AND time_ns>=?3 AND (?4=0 OR time_ns<?4)"
			  " AND ?5=?5 AND (?6='' OR device=?6) ORDER BY time_ns, n LIMIT ?7",
	[PUT_SUPPRESSION] = "INSERT OR REPLACE INTO suppression VALUES(?1,?2,?3,?4,?5,?6,?7)",
	[GET_SUPPRESSIONS] = "SELECT record FROM suppression WHERE (?1=0 OR id=?1) AND ?2=?2 AND ?3=?3"
			     " AND ?4=?4 AND ?5=?5 AND ?6=?6 ORDER BY id LIMIT ?7",
};

// --- opening and closing ---

static void close_database(struct journal *j)
{
	for (int n = 0; n < STATEMENTS; n++) {
		sqlite3_finalize(j->statement[n]);
		j->statement[n] = NULL;
	}
	sqlite3_close_v2(j->db); // v2: a reader further up the stack may still hold a statement
	j->db = NULL;
	j->batch = false;
}

static bool is_damage(int rc)
{
	return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

static int pragma_number(sqlite3 *db, const char *text, int64_t *out)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, text, -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW) {
		*out = sqlite3_column_int64(s, 0);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(s);
	return rc;
}

// The whole file, if it is small enough to look at before work begins.
static int check_whole(sqlite3 *db)
{
	int64_t pages = 0, page_bytes = 0;
	sqlite3_stmt *s = NULL;
	int rc = pragma_number(db, "PRAGMA page_count", &pages);

	if (rc == SQLITE_OK)
		rc = pragma_number(db, "PRAGMA page_size", &page_bytes);
	if (rc != SQLITE_OK || pages * page_bytes > CHECK_MOST_BYTES)
		return rc;
	rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &s, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		rc = strcmp((const char *)sqlite3_column_text(s, 0), "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
	sqlite3_finalize(s);
	return rc;
}

// Ours, of a version we know? *version 0: an empty file, which has 0 and 0.
static int check_version(sqlite3 *db, int64_t *version)
{
	int64_t application = 0;
	int rc = pragma_number(db, "PRAGMA user_version", version);

	if (rc == SQLITE_OK)
		rc = pragma_number(db, "PRAGMA application_id", &application);
	if (rc != SQLITE_OK)
		return rc;
	if (*version == 0 && application == 0)
		return SQLITE_OK;
	return application == APPLICATION_ID && *version >= OLDEST_VERSION && *version <= SCHEMA_VERSION
		       ? SQLITE_OK
		       : SQLITE_MISMATCH;
}

// Tables and marks in one transaction: a file has all of them or is as it was. `version`: what it has already.
static int make_tables(sqlite3 *db, int64_t version)
{
	char head[160];
	int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	snprintf(head, sizeof(head), "PRAGMA user_version=%d; PRAGMA application_id=%d;", SCHEMA_VERSION,
		 APPLICATION_ID);
	if (rc == SQLITE_OK && version < 1)
		rc = sqlite3_exec(db, schema, NULL, NULL, NULL);
	if (rc == SQLITE_OK && version < 2)
		rc = sqlite3_exec(db, added, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, head, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

static int open_for_writing(struct journal *j, int64_t version)
{
	// journal_size_limit: after a checkpoint the WAL gives its space back.
	int rc = sqlite3_exec(j->db,
			      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=4194304;"
			      "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;",
			      NULL, NULL, NULL);

	return rc == SQLITE_OK && version < SCHEMA_VERSION ? make_tables(j->db, version) : rc;
}

// A journal in a folder that cannot be written, and that nobody has open: SQLite then may not make the files by which
// readers and writers of a WAL agree. Where no WAL is left over, the file alone is all there is.
static int open_unchanging(struct journal *j)
{
	char uri[4096] = "file:";
	size_t n = strlen(uri);

	for (const char *c = j->path; *c && n + 32 < sizeof(uri); c++)
		n += (size_t)snprintf(uri + n, sizeof(uri) - n, strchr("%?#", *c) ? "%%%02x" : "%c", (unsigned char)*c);
	snprintf(uri + n, sizeof(uri) - n, "-wal");
	if (access(uri + strlen("file:"), F_OK) == 0)
		return SQLITE_CANTOPEN;
	snprintf(uri + n, sizeof(uri) - n, "?immutable=1");
	sqlite3_close_v2(j->db);
	return sqlite3_open_v2(uri, &j->db,
			       SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
}

// It holds what people asked for and said: for its owner and group, as event lines are. What SQLite keeps beside it gets the same rights.
static void make_file(const struct journal *j)
{
	int fd = j->path && !j->reading ? open(j->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640) : -1;

	if (fd >= 0)
		close(fd);
}

static int open_file(struct journal *j, int64_t *version)
{
	int rc;

	make_file(j);
	rc = sqlite3_open_v2(j->path ? j->path : ":memory:", &j->db,
				 (j->reading ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
					 SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				 NULL);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_busy_timeout(j->db, BUSY_MS);
	rc = check_version(j->db, version);
	if (((rc & 0xff) == SQLITE_CANTOPEN || (rc & 0xff) == SQLITE_READONLY) && j->reading) {
		rc = open_unchanging(j);
		if (rc == SQLITE_OK)
			rc = check_version(j->db, version);
	}
	return rc;
}

static int open_database(struct journal *j)
{
	int64_t version = 0;
	int rc = open_file(j, &version);

	if (rc == SQLITE_OK && j->reading && version < SCHEMA_VERSION)
		return SQLITE_MISMATCH; // nothing to ask; the program that writes it brings it up to date
	if (rc == SQLITE_OK)
		rc = check_whole(j->db);
	if (rc == SQLITE_OK && !j->reading)
		rc = open_for_writing(j, version);
	for (int n = 0; rc == SQLITE_OK && n < STATEMENTS; n++)
		rc = sqlite3_prepare_v3(j->db, texts[n], -1, SQLITE_PREPARE_PERSISTENT, &j->statement[n], NULL);
	return rc;
}

// NAME → NAME.damaged-N for the first N that is free, with what SQLite keeps beside it.
static int set_aside(const char *path)
{
	static const char *const beside[] = {"", "-wal", "-shm"};
	char from[4096], to[4096];
	int rc = 0;

	for (int n = 1; n <= DAMAGED_MOST; n++) {
		snprintf(to, sizeof(to), "%s.damaged-%d", path, n);
		if (access(to, F_OK) == 0)
			continue;
		for (size_t b = 0; b < sizeof(beside) / sizeof(beside[0]); b++) {
			snprintf(from, sizeof(from), "%s%s", path, beside[b]);
			snprintf(to, sizeof(to), "%s.damaged-%d%s", path, n, beside[b]);
			if (rename(from, to) != 0 && b == 0)
				rc = -errno;
		}
		return rc;
	}
	return -EEXIST;
}

static int open_or_replace(struct journal *j)
{
	int rc = open_database(j);

	if (!is_damage(rc) || !j->path || j->reading)
		return rc;
	close_database(j);
	if (set_aside(j->path) != 0)
		return rc;
	return open_database(j);
}

static struct journal *open_as(const char *path, bool reading, char *error, size_t error_bytes)
{
	struct journal *j = calloc(1, sizeof(*j));
	int rc;

	if (!j || (path && !(j->path = strdup(path)))) {
		snprintf(error, error_bytes, "%s: no memory", path ? path : "journal");
		free(j);
		return NULL;
	}
	j->reading = reading;
	rc = open_or_replace(j);
	if (rc == SQLITE_OK)
		return j;
	snprintf(error, error_bytes, "%s: %s", path ? path : "journal",
		 rc == SQLITE_MISMATCH ? "not a Sekimori journal of this version"
		 : j->db               ? sqlite3_errmsg(j->db)
				       : sqlite3_errstr(rc));
	journal_close(j);
	return NULL;
}

struct journal *journal_open(const char *path, char *error, size_t error_bytes)
{
	return open_as(path, false, error, error_bytes);
}

struct journal *journal_open_read(const char *path, char *error, size_t error_bytes)
{
	return open_as(path, true, error, error_bytes);
}

// --- transactions ---

static uint64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int journal_result(struct journal *j, int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
		return 0;
	// SQLite may have rolled back by itself (full disk); if not, we do: half a batch is never kept.
	if (j->batch) {
		if (!sqlite3_get_autocommit(j->db))
			sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
		j->batch = false;
		j->lost += j->rows;
		j->rows = 0;
	}
	if (is_damage(rc))
		j->damaged = true;
	if ((rc & 0xff) == SQLITE_BUSY)
		j->busy_ms = monotonic_ms() + BUSY_AGAIN_MS;
	return (rc & 0xff) == SQLITE_FULL ? -ENOSPC : (rc & 0xff) == SQLITE_BUSY ? -EBUSY : -EIO;
}

int journal_commit(struct journal *j)
{
	int rc;

	if (!j->batch)
		return 0;
	rc = sqlite3_exec(j->db, "COMMIT", NULL, NULL, NULL);
	if (rc == SQLITE_OK) {
		j->batch = false;
		j->rows = 0;
	}
	return journal_result(j, rc);
}

uint64_t journal_lost(struct journal *j)
{
	uint64_t lost = j->lost;

	j->lost = 0;
	return lost;
}

int journal_ready(struct journal *j)
{
	int rc;

	if (j->damaged && j->path && !j->reading) {
		close_database(j);
		set_aside(j->path);
		j->damaged = false;
	}
	if (j->db)
		return 0;
	rc = open_or_replace(j);
	if (rc == SQLITE_OK)
		return 0;
	close_database(j); // try again with the next call
	return (rc & 0xff) == SQLITE_FULL ? -ENOSPC : -EIO;
}

int journal_begin(struct journal *j)
{
	int rc = journal_ready(j);

	if (rc || j->batch)
		return rc;
	if (monotonic_ms() < j->busy_ms)
		return -EBUSY;
	rc = sqlite3_exec(j->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	j->batch = rc == SQLITE_OK;
	return journal_result(j, rc);
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	if (j->db)
		journal_commit(j);
	close_database(j);
	free(j->path);
	free(j);
}

int journal_step(struct journal *j, uint64_t now_ns, bool flush)
{
	int rc;

	if (!flush && now_ns >= j->committed_ns && now_ns - j->committed_ns < NS_PER_S)
		return 0;
	j->committed_ns = now_ns;
	rc = journal_commit(j);
	if (rc)
		return rc;
	journal_trim(j, now_ns); // what could not be done now is tried again; it takes no batch along
	return 0;
}

// --- writing ---

sqlite3_stmt *journal_statement(struct journal *j, enum journal_statement which)
{
	sqlite3_reset(j->statement[which]);
	sqlite3_clear_bindings(j->statement[which]);
	return j->statement[which];
}

static void bind_number(sqlite3_stmt *s, int n, uint64_t value)
{
	sqlite3_bind_int64(s, n, (sqlite3_int64)value);
}

static void bind_text(sqlite3_stmt *s, int n, const char *text)
{
	sqlite3_bind_text(s, n, text, -1, SQLITE_TRANSIENT);
}

static void bind_address(sqlite3_stmt *s, int n, const struct address *a)
{
	char text[ADDRESS_TEXT_BYTES];

	bind_text(s, n, address_format(a, text));
}

void journal_addresses(const struct address *set, unsigned count, char out[JOURNAL_ADDRESSES_BYTES])
{
	char text[ADDRESS_TEXT_BYTES];
	size_t at = (size_t)snprintf(out, JOURNAL_ADDRESSES_BYTES, " ");

	for (unsigned n = 0; n < count && at + ADDRESS_TEXT_BYTES + 2 < JOURNAL_ADDRESSES_BYTES; n++)
		at += (size_t)snprintf(out + at, JOURNAL_ADDRESSES_BYTES - at, "%s ", address_format(&set[n], text));
}

int journal_run(struct journal *j, sqlite3_stmt *s)
{
	int rc = sqlite3_step(s);

	sqlite3_reset(s);
	j->rows += rc == SQLITE_DONE && j->batch;
	return journal_result(j, rc);
}

int journal_alert(struct journal *j, const struct alert *a)
{
	int rc = journal_begin(j);
	sqlite3_stmt *s;

	if (rc)
		return rc;
	s = journal_statement(j, PUT_ALERT);
	bind_number(s, 1, a->id);
	bind_number(s, 2, a->time_ns);
	bind_number(s, 3, a->incident);
	bind_text(s, 4, a->policy);
	bind_number(s, 5, a->priority);
	bind_address(s, 6, &a->device);
	bind_address(s, 7, &a->endpoint);
	bind_number(s, 8, a->endpoint_port);
	sqlite3_bind_double(s, 9, a->bits);
	bind_text(s, 10, response_name(a->response));
	bind_number(s, 11, a->block);
	sqlite3_bind_blob(s, 12, a, sizeof(*a), SQLITE_STATIC);
	j->newest_alert = a->id > j->newest_alert ? a->id : j->newest_alert;
	return journal_run(j, s);
}

int journal_incident(struct journal *j, const struct incident *i)
{
	char devices[JOURNAL_ADDRESSES_BYTES], endpoints[JOURNAL_ADDRESSES_BYTES];
	int rc = journal_begin(j);
	sqlite3_stmt *s;

	if (rc)
		return rc;
	journal_addresses(i->device, i->devices < INCIDENT_DEVICES ? i->devices : INCIDENT_DEVICES, devices);
	journal_addresses(i->endpoint, i->endpoints < INCIDENT_ENDPOINTS ? i->endpoints : INCIDENT_ENDPOINTS,
			  endpoints);
	s = journal_statement(j, PUT_INCIDENT);
	bind_number(s, 1, i->id);
	bind_number(s, 2, i->first_ns);
	bind_number(s, 3, i->last_ns);
	bind_number(s, 4, i->state);
	bind_number(s, 5, i->priority);
	sqlite3_bind_double(s, 6, i->score);
	bind_number(s, 7, i->alerts);
	bind_number(s, 8, i->merged_into);
	bind_text(s, 9, devices);
	bind_text(s, 10, endpoints);
	sqlite3_bind_blob(s, 11, i, sizeof(*i), SQLITE_STATIC);
	return journal_run(j, s);
}

int journal_put_audit(struct journal *j, uint64_t now_ns, const char *who, const char *what, const char *detail)
{
	sqlite3_stmt *s = journal_statement(j, PUT_AUDIT);

	bind_number(s, 1, now_ns);
	bind_text(s, 2, who ? who : "");
	bind_text(s, 3, what ? what : "");
	bind_text(s, 4, detail ? detail : "");
	return journal_run(j, s);
}

static int put_block(struct journal *j, const struct block *b)
{
	sqlite3_stmt *s = journal_statement(j, PUT_BLOCK);

	bind_number(s, 1, b->id);
	bind_number(s, 2, b->made_ns);
	bind_number(s, 3, b->expires_ns);
	bind_text(s, 4, block_state_name(b->state));
	bind_address(s, 5, &b->endpoint);
	bind_number(s, 6, b->endpoint_bits);
	bind_number(s, 7, b->port);
	bind_number(s, 8, b->transport);
	bind_number(s, 9, b->incident);
	bind_text(s, 10, b->who);
	sqlite3_bind_blob(s, 11, b, sizeof(*b), SQLITE_STATIC);
	return journal_run(j, s);
}

int journal_block(struct journal *j, const struct block *b, const char *what, uint64_t now_ns)
{
	char detail[256], address[ADDRESS_TEXT_BYTES], end[TEXT_TIME_BYTES], word[48];
	int rc = journal_ready(j);

	// The batch first: a block that does not fit on the disk must not take alerts with it.
	if (!rc && !j->blocks)
		rc = journal_commit(j);
	if (!rc)
		rc = journal_begin(j);
	if (!rc)
		rc = put_block(j, b);
	snprintf(word, sizeof(word), "block %s", what ? what : "changed");
	snprintf(detail, sizeof(detail), "%llu %s/%u port %u transport %u until %s: %.128s", (unsigned long long)b->id,
		 address_format(&b->endpoint, address), b->endpoint_bits, b->port, b->transport,
		 time_format(b->expires_ns, end), b->reason);
	if (!rc)
		rc = journal_put_audit(j, now_ns, b->who, word, detail);
	j->blocks = j->together;
	return rc || j->together ? rc : journal_commit(j);
}

void journal_together(struct journal *j)
{
	j->together = true;
}

int journal_apart(struct journal *j)
{
	const bool blocks = j->blocks;

	j->together = j->blocks = false;
	return blocks ? journal_commit(j) : 0;
}

int journal_audit(struct journal *j, uint64_t now_ns, const char *who, const char *what, const char *detail)
{
	int rc = journal_begin(j);

	if (!rc)
		rc = journal_put_audit(j, now_ns, who, what, detail);
	return rc ? rc : journal_commit(j);
}

int journal_meta_set(struct journal *j, const char *key, const char *value)
{
	int rc = journal_begin(j);
	sqlite3_stmt *s;

	if (rc)
		return rc;
	s = journal_statement(j, PUT_META);
	bind_text(s, 1, key);
	bind_text(s, 2, value);
	return journal_run(j, s);
}
