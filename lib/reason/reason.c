// SPDX-License-Identifier: GPL-2.0-or-later
// Composition only: which room is asked when, and who hears of the answer.
#include "reason.h"
#include "beside.h"
#include "budget.h"
#include "image.h"
#include "suppressed.h"
#include "text.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEFAULT_DEVICES = 1 << 14, PATH_BYTES = 4096 };
#define DEFAULT_ALARMS 1.0 // a day
#define BUDGET_LEAST 0.01
#define DAY_NS (86400ull * NS_PER_S)
#define WRITE_AGAIN_NS (5 * NS_PER_S)
#define LATELY_NS (60 * NS_PER_S) // longer than frames wait in a ring

struct reason {
	struct reason_config config;
	struct learn *learn;
	struct judge *judge;
	struct incident_table *incidents;
	struct respond *respond;
	struct journal *journal;
	struct counters *counters;
	unsigned mode;
	struct suppress_set suppressions;
	uint64_t next_alert;
	uint64_t now_ns;              // UNIX, of the last observation or step
	unsigned worker;              // of the observation being judged
	uint64_t snapshot_day;        // UNIX day of the last snapshot + 1, 0: not looked yet
	struct beside copy;           // that writes what was learned
	int64_t blocks_offset_ns;     // deadline clock - UNIX clock by which the standing blocks' times are meant
	int64_t set_by_ns;            // so far the UNIX clock was set, until lately; 0: it was not
	uint64_t set_until_ns;        // lately
	bool acted;                   // a cut or block was ordered while judging it
	bool unwritten;               // the journal did not take a block
	uint64_t write_again_ns;
};

static const char *state_path(const struct reason *r, const char *name, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/%s", r->config.state, name);
	return out;
}

static void journal_failed(struct reason *r, int error)
{
	if (error < 0)
		count(r->counters, COUNT_BRAIN_JOURNAL_ERRORS);
	count_add(r->counters, COUNT_BRAIN_JOURNAL_LOST, journal_lost(r->journal));
}

// --- orders to the wire ---

static void send(struct reason *r, unsigned worker, struct verdict *v)
{
	v->size_bytes = sizeof(*v);
	if (r->config.hooks.verdict)
		r->config.hooks.verdict(r->config.hooks.user, worker, v);
}

static void order_block(void *user, const struct block *b)
{
	struct reason *r = user;
	struct verdict v = {.kind = VERDICT_BLOCK, .transport = b->transport, .id = b->id, .endpoint = b->endpoint,
			    .endpoint_bits = b->endpoint_bits, .port = b->port, .evidence_ns = b->evidence_ns};

	v.expires_ns = (uint64_t)((int64_t)b->expires_ns + r->config.deadline_offset_ns);
	r->acted = true;
	send(r, SHEET_WORKERS, &v);
}

static void order_unblock(void *user, const struct block *b)
{
	struct verdict v = {.kind = VERDICT_UNBLOCK, .id = b->id};

	send(user, SHEET_WORKERS, &v);
}

static void send_cut(struct reason *r, uint64_t flow, uint64_t evidence_ns)
{
	struct verdict v = {.kind = VERDICT_CUT, .flow = flow, .evidence_ns = evidence_ns};

	r->acted = true;
	send(r, r->worker, &v);
}

static void order_cut(void *user, uint64_t flow, const struct alert *a)
{
	send_cut(user, flow, a->time_ns);
}

static void block_written(struct reason *r, int error)
{
	journal_failed(r, error);
	if (error < 0)
		r->unwritten = true;
}

// What stands and is in no journal would be forgotten with us: the next brain would not know it, and give its number to another, which takes its place at
// the wire.
static void write_again(struct reason *r, uint64_t now_ns)
{
	const struct block *b;
	int error = 0;

	if (!r->unwritten || (now_ns < r->write_again_ns && r->write_again_ns - now_ns <= WRITE_AGAIN_NS))
		return;
	r->write_again_ns = now_ns + WRITE_AGAIN_NS;
	r->unwritten = false;
	journal_together(r->journal);
	for (uint32_t i = 0; !error && (b = respond_at(r->respond, i)); i++)
		error = journal_block(r->journal, b, "kept", now_ns);
	block_written(r, error);
	block_written(r, journal_apart(r->journal));
}

static void block_changed(void *user, const struct block *b, const char *what)
{
	struct reason *r = user;

	block_written(r, journal_block(r->journal, b, what, r->now_ns));
	if (r->config.hooks.block)
		r->config.hooks.block(r->config.hooks.user, b, what, r->now_ns);
}

// --- alerts ---

struct claim {
	struct reason *reason;
	uint64_t incident;
};

static bool claim_alert(void *user, const struct alert *a)
{
	struct claim *c = user;
	struct alert mine = *a;

	mine.incident = c->incident;
	journal_failed(c->reason, journal_alert(c->reason->journal, &mine));
	return false;
}

// Notes that came before an incident opened belong to it now.
static void journal_claimed(struct reason *r, uint64_t incident)
{
	struct claim c = {r, incident};
	struct journal_query q = {.limit = 1};
	const uint64_t *ids;
	uint32_t n = incident_claimed(r->incidents, &ids);

	for (uint32_t i = 0; i < n; i++) {
		q.id = ids[i];
		journal_alerts(r->journal, &q, claim_alert, &c);
	}
}

static void journal_changed(struct reason *r)
{
	const struct incident *i;

	while ((i = incident_changed(r->incidents)))
		journal_failed(r, journal_incident(r->journal, i));
}

static uint64_t moved(uint64_t ns, int64_t by_ns)
{
	return by_ns < 0 && (uint64_t)-by_ns >= ns ? 0 : ns + (uint64_t)by_ns;
}

// What came before the clock was set says the time of before: by the clock of now, so that what stands is not taken for ended, nor made too long or too short.
static uint64_t by_now(const struct reason *r, uint64_t time_ns)
{
	const int64_t ahead = (int64_t)(time_ns - r->now_ns);

	if (r->set_by_ns < 0 ? ahead > -r->set_by_ns / 2 : r->set_by_ns > 0 && ahead < -r->set_by_ns / 2)
		return moved(time_ns, r->set_by_ns);
	return time_ns;
}

static void respond_by_now(struct reason *r, struct alert *a)
{
	const uint64_t said = a->time_ns;

	a->time_ns = by_now(r, said);
	respond_alert(r->respond, a, r->mode);
	a->time_ns = said;
}

static void alerted(void *user, struct alert *a)
{
	struct reason *r = user;
	struct incident *incident;
	uint64_t merged = 0;

	a->id = r->next_alert++;
	if (a->suppressed) { // kept, and that is all
		journal_failed(r, journal_alert(r->journal, a));
		return;
	}
	incident = incident_add(r->incidents, a, &merged);
	respond_by_now(r, a);
	journal_failed(r, journal_alert(r->journal, a));
	if (incident)
		journal_failed(r, journal_incident(r->journal, incident));
	journal_claimed(r, a->incident);
	journal_changed(r);
	if (r->config.hooks.alert)
		r->config.hooks.alert(r->config.hooks.user, a, incident);
}

static void scored(void *user, const struct score *s)
{
	struct reason *r = user;

	journal_failed(r, journal_score(r->journal, s));
	if (r->config.hooks.score)
		r->config.hooks.score(r->config.hooks.user, s);
}

// --- the known-pair filter ---

// A pair is known when the device has used the endpoint on an earlier day: today's stranger must not become known by knocking twice.
static void publish_known(struct reason *r, const struct observation *o)
{
	const struct address *device = observation_device(o);
	struct device *d = device ? learn_device_find(r->learn, device) : NULL;
	struct counts c;

	if (!d)
		return;
	if (d->role != ROLE_CLIENT)
		filter_add(r->config.sheet, &r->config.filter_key, FILTER_EXPOSED, device, device);
	if (o->direction != DIRECTION_OUT)
		return;
	learn_counts(r->learn, d, FEATURE_ENDPOINT, bytes_of(&o->server, sizeof(o->server)), o->time_ns, &c);
	if (c.device_first_ns) // what is learned waited a day
		filter_add(r->config.sheet, &r->config.filter_key, FILTER_PAIR, device, &o->server);
}

static void publish_exposed(struct reason *r)
{
	struct device *d;

	for (uint32_t i = 0; (d = learn_device_at(r->learn, i)); i++)
		if (d->role != ROLE_CLIENT)
			filter_add(r->config.sheet, &r->config.filter_key, FILTER_EXPOSED, &d->address, &d->address);
}

// Sequence lock, writer's side: odd while the table changes.
static void publish_certain(struct reason *r)
{
	struct brain_sheet *b = r->config.sheet;
	struct certain_rule rules[SHEET_CERTAIN];
	unsigned n = policy_certain(r->config.policies, rules);
	uint32_t version = b->certain_version & ~1u;

	__atomic_store_n(&b->certain_version, version + 1, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(b->certain, rules, n * sizeof(rules[0]));
	__atomic_store_n(&b->certain_count, n, __ATOMIC_RELAXED);
	__atomic_store_n(&b->certain_version, version + 2, __ATOMIC_RELEASE);
}

// --- observations ---

// Of what was cut there is no block that would refuse the next try, and its alert is throttled.
static void cut_repeated(struct reason *r, const struct observation *o)
{
	if (!r->acted && r->mode == MODE_ENFORCE && judge_repeats_cut(r->judge) && respond_may_cut(r->respond, observation_endpoint(o)))
		send_cut(r, o->flow, o->time_ns);
}

static void decide_held(struct reason *r, const struct observation *o)
{
	struct verdict v = {.kind = VERDICT_RELEASE, .flow = o->flow};

	judge_held(r->judge, o, r->mode);
	cut_repeated(r, o);
	if (!r->acted)
		send(r, r->worker, &v);
}

static void observe(struct reason *r, const struct observation *o)
{
	judge_observe(r->judge, o, r->mode);
	cut_repeated(r, o);
}

void reason_observe(struct reason *r, const struct observation *o)
{
	if (!observation_check(o)) {
		count(r->counters, COUNT_BRAIN_OBSERVATIONS_BAD);
		return;
	}
	r->worker = o->worker;
	if (by_now(r, o->time_ns) > r->now_ns)
		r->now_ns = by_now(r, o->time_ns);
	r->acted = false;
	if (o->kind == OBS_HELD)
		decide_held(r, o);
	else if (o->kind == OBS_BLOCKED)
		respond_attempts(r->respond, o->number[NUM_BLOCKED_ID], o->number[NUM_BLOCKED_FRAMES],
				 by_now(r, o->time_ns));
	else if (o->kind != OBS_LOST)
		observe(r, o);
	if (o->kind == OBS_FLOW_OPEN)
		publish_known(r, o);
	if (r->config.hooks.observation)
		r->config.hooks.observation(r->config.hooks.user, o, r->judge);
}

static void put_learned(const struct reason *r, struct image *i)
{
	image_begin(i, LEARN_IMAGE_VERSION);
	learn_put(r->learn, i);
	judge_put(r->judge, i);
}

static int write_snapshot(const struct reason *r, uint64_t unix_ns, char name[BASELINES_NAME_BYTES])
{
	struct image i;
	int error;

	put_learned(r, &i);
	error = baselines_save(r->config.state, &i, unix_ns, name);
	image_free(&i);
	return error;
}

int reason_snapshot(struct reason *r, uint64_t unix_ns, char name[BASELINES_NAME_BYTES])
{
	int error;

	if (!r->config.state)
		return -ENOENT;
	beside_stop(&r->copy); // two would clear away each other's beginnings
	error = write_snapshot(r, unix_ns, name);
	journal_failed(r, error);
	return error;
}

static int snapshot_job(void *user)
{
	const struct reason *r = user;
	char name[BASELINES_NAME_BYTES];

	return write_snapshot(r, r->now_ns, name);
}

// One a day: whoever took the last one today, this process or one before. Fails: counted, and tried again tomorrow.
static void snapshot_daily(struct reason *r, uint64_t unix_ns)
{
	struct baselines_entry kept[BASELINES_MOST];
	uint64_t day = unix_ns / DAY_NS + 1;
	int n, error = 0;

	if (!r->config.baselines || !r->config.state || day <= r->snapshot_day)
		return;
	n = r->snapshot_day ? 0 : baselines_list(r->config.state, kept);
	if (n <= 0 || kept[n - 1].time_ns / DAY_NS + 1 < day)
		error = beside_begin(&r->copy, snapshot_job, r);
	if (error == -EBUSY)
		return; // the save of the minute, soon done
	r->snapshot_day = day;
	journal_failed(r, error);
}

void reason_step(struct reason *r, uint64_t unix_ns)
{
	r->now_ns = unix_ns;
	if (unix_ns >= r->set_until_ns || r->set_until_ns - unix_ns > 2 * LATELY_NS)
		r->set_by_ns = 0;
	judge_step(r->judge, unix_ns, r->mode);
	journal_together(r->journal);
	respond_step(r->respond, unix_ns);
	block_written(r, journal_apart(r->journal));
	write_again(r, unix_ns);
	incident_step(r->incidents, unix_ns);
	journal_changed(r);
	journal_failed(r, journal_step(r->journal, unix_ns, false));
	snapshot_daily(r, unix_ns);
}

void reason_beat(struct reason *r, uint64_t deadline_ns)
{
	__atomic_store_n(&r->config.sheet->heartbeat_ns, deadline_ns, __ATOMIC_RELEASE);
}

// --- state ---

static bool restore_block(void *user, const struct block *b)
{
	struct reason *r = user;

	// A block is on disk at once, what led to it a second later: a brain that died in between must not have its numbers given to others.
	incident_taken(r->incidents, b->incident);
	if (b->alert >= r->next_alert)
		r->next_alert = b->alert + 1;
	respond_restore(r->respond, b, r->now_ns); // what has ended or is refused stays out; the rest is told to the wire
	return true;
}

static bool restore_incident(void *user, const struct incident *i)
{
	struct reason *r = user;

	if (i->state == 0)
		incident_restore(r->incidents, i);
	return true;
}

static void restore_mode(struct reason *r)
{
	char kept[16];

	r->mode = r->config.mode;
	if (r->mode < MODE_COUNT)
		return;
	r->mode = MODE_OBSERVE;
	if (journal_meta_get(r->journal, "mode", kept, sizeof(kept)) == 0) {
		int m = name_to_index(mode_name, MODE_COUNT, bytes_of_text(kept));

		r->mode = m < 0 ? MODE_OBSERVE : (unsigned)m;
	}
}

static bool begin_with(struct reason *r, char error[512])
{
	struct image i = {0};
	int failed = image_read(&i, LEARN_IMAGE_VERSION, r->config.learned);

	if (!failed) {
		failed = learn_take(r->learn, &i);
		if (!failed)
			failed = judge_take(r->judge, &i);
		image_free(&i);
	}
	if (failed)
		snprintf(error, 512, "%s: %s", r->config.learned, failed == -EPROTO ? "damaged, or larger than the tables" : strerror(-failed));
	return failed == 0;
}

static void load_learned(struct reason *r)
{
	char path[PATH_BYTES], aside[PATH_BYTES + 16];
	struct image i = {0};
	int error = r->config.state ? image_read(&i, LEARN_IMAGE_VERSION, state_path(r, "learned", path)) : -ENOENT;

	if (error == 0) {
		error = learn_take(r->learn, &i);
		if (error == 0)
			error = judge_take(r->judge, &i);
		image_free(&i);
	}
	if (error == 0 || error == -ENOENT)
		return;
	snprintf(aside, sizeof(aside), "%s.damaged", path); // never judged by a baseline that cannot be trusted
	rename(path, aside);
	count(r->counters, COUNT_BRAIN_JOURNAL_ERRORS);
}

static void never_and_groups(struct reason *r)
{
	unsigned n, groups;
	const struct prefix *never = policy_never_block(r->config.policies, &n);
	const struct policy_group *group = policy_groups(r->config.policies, &groups);

	for (unsigned i = 0; i < n; i++)
		if (respond_never(r->respond, &never[i]) < 0)
			count(r->counters, COUNT_BRAIN_BLOCKS_REFUSED);
	for (unsigned i = 0; i < groups; i++)
		if (learn_tag_group(r->learn, &group[i].net, group[i].name) < 0)
			count(r->counters, COUNT_BRAIN_DEVICES_FULL);
}

static bool is_budget(double alarms_per_day, double blocks_per_day)
{
	return alarms_per_day == 0 || (alarms_per_day >= BUDGET_LEAST && alarms_per_day <= BUDGET_MOST && blocks_per_day >= 0 &&
				       blocks_per_day <= BUDGET_MOST);
}

// Said at the start, or kept from what a person said, or one a day.
static void find_budget(struct reason *r, double *alarms, double *blocks)
{
	char kept[64];

	*alarms = r->config.alarms_per_day;
	*blocks = r->config.blocks_per_day;
	if (*alarms != 0)
		return;
	*alarms = DEFAULT_ALARMS;
	if (journal_meta_get(r->journal, "budget", kept, sizeof(kept)) == 0) {
		double a, b;

		if (sscanf(kept, "%lf %lf", &a, &b) == 2 && is_budget(a, b)) {
			*alarms = a;
			*blocks = b;
		}
	}
}

static bool create_rooms(struct reason *r, char error[512])
{
	const struct reason_config *c = &r->config;
	struct learn_config lc = {.devices = c->devices ? c->devices : DEFAULT_DEVICES, .values = c->values, .key = c->key,
				  .without = c->without};
	struct respond_hooks hooks = {order_block, order_unblock, order_cut, block_changed, r};
	struct judge_config jc = {.policies = c->policies, .counters = c->counters, .alert = alerted, .user = r, .score = scored,
				  .without = c->without, .suppressions = &r->suppressions};
	char path[PATH_BYTES];

	if (c->state && mkdir(c->state, 0700) < 0 && errno != EEXIST) {
		snprintf(error, 512, "%s: %s", c->state, strerror(errno));
		return false;
	}
	r->journal = journal_open(c->state ? state_path(r, "journal.db", path) : NULL, error, 512);
	if (!r->journal)
		return false;
	snprintf(error, 512, "out of memory");
	r->next_alert = journal_next(r->journal, "alert");
	r->learn = learn_create(&lc, c->counters);
	jc.learn = r->learn;
	find_budget(r, &jc.alarms_per_day, &jc.blocks_per_day);
	r->judge = r->learn ? judge_create(&jc) : NULL;
	r->incidents = incident_table_create(journal_next(r->journal, "incident"));
	r->respond = respond_create(journal_next(r->journal, "block"), &hooks, c->counters);
	return r->judge && r->incidents && r->respond;
}

struct reason *reason_create(const struct reason_config *config, char error[512])
{
	struct reason *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->config = *config;
	r->blocks_offset_ns = config->deadline_offset_ns;
	r->counters = config->counters;
	if (!create_rooms(r, error)) {
		reason_destroy(r);
		return NULL;
	}
	if (config->learned && !begin_with(r, error)) {
		reason_destroy(r);
		return NULL;
	}
	if (!config->learned)
		load_learned(r);
	restore_mode(r);
	never_and_groups(r);
	publish_exposed(r);
	publish_certain(r);
	config->sheet->hold_us = 1000;
	__atomic_store_n(&config->sheet->hold, config->hold, __ATOMIC_RELEASE);
	__atomic_store_n(&config->sheet->mode, r->mode, __ATOMIC_RELEASE);
	return r;
}

void reason_destroy(struct reason *r)
{
	if (!r)
		return;
	beside_stop(&r->copy);
	if (r->judge)
		judge_destroy(r->judge);
	if (r->learn)
		learn_destroy(r->learn);
	if (r->incidents)
		incident_table_destroy(r->incidents);
	if (r->respond)
		respond_destroy(r->respond);
	if (r->journal) {
		journal_step(r->journal, r->now_ns, true);
		journal_close(r->journal);
	}
	free(r);
}

static int write_learned(void *user)
{
	const struct reason *r = user;
	char path[PATH_BYTES];
	struct image i;
	int error;

	put_learned(r, &i);
	error = image_write(&i, state_path(r, "learned", path));
	image_free(&i);
	return error;
}

int reason_save(struct reason *r)
{
	int error;

	if (!r->config.state)
		return -ENOENT;
	beside_stop(&r->copy); // it would put an older state in this one's place
	journal_failed(r, journal_step(r->journal, r->now_ns, true));
	error = write_learned(r);
	journal_failed(r, error);
	return error;
}

int reason_save_beside(struct reason *r)
{
	if (!r->config.state)
		return -ENOENT;
	journal_failed(r, journal_step(r->journal, r->now_ns, true)); // first, so that no alert is younger than its device
	return beside_begin(&r->copy, write_learned, r);
}

bool reason_saved(struct reason *r, int *error)
{
	if (!beside_ended(&r->copy, error))
		return false;
	journal_failed(r, *error);
	return true;
}

void reason_set_mode(struct reason *r, unsigned mode, const char *who, uint64_t unix_ns)
{
	r->mode = mode;
	__atomic_store_n(&r->config.sheet->mode, mode, __ATOMIC_RELEASE);
	journal_failed(r, journal_meta_set(r->journal, "mode", mode_name(mode)));
	journal_failed(r, journal_audit(r->journal, unix_ns, who, "mode", mode_name(mode)));
}

static int take_learned(struct reason *r, const struct image *i)
{
	int error = learn_take(r->learn, i);

	return error ? error : judge_take(r->judge, i);
}

int reason_rollback(struct reason *r, const char *name, const char *who, uint64_t unix_ns)
{
	char path[BASELINES_PATH_BYTES], text[BASELINES_NAME_BYTES + 16];
	struct image now, then = {0};
	int error = r->config.state ? baselines_path(r->config.state, name, path) : -ENOENT;

	if (!error)
		error = image_read(&then, LEARN_IMAGE_VERSION, path);
	if (error)
		return error;
	put_learned(r, &now);
	error = image_room(&now, 32) ? 0 : -ENOMEM; // where a written one has its hash
	if (!error && (error = take_learned(r, &then)) < 0)
		take_learned(r, &now);
	image_free(&now);
	image_free(&then);
	if (error)
		return error;
	filter_clear(r->config.sheet); // pairs are known again as they are seen
	publish_exposed(r);
	snprintf(text, sizeof(text), "rollback %s", name);
	journal_failed(r, journal_audit(r->journal, unix_ns, who, "baseline", text));
	reason_save(r);
	return 0;
}

int reason_set_budget(struct reason *r, double alarms_per_day, double blocks_per_day, const char *who, uint64_t unix_ns)
{
	char text[64];

	if (!is_budget(alarms_per_day, blocks_per_day))
		return -EINVAL;
	judge_set_budget(r->judge, alarms_per_day, blocks_per_day);
	snprintf(text, sizeof(text), "%.9g %.9g", alarms_per_day, blocks_per_day);
	journal_failed(r, journal_meta_set(r->journal, "budget", text));
	journal_failed(r, journal_audit(r->journal, unix_ns, who, "budget", text));
	return 0;
}

static bool keep_incident(void *user, const struct incident *i)
{
	*(struct incident *)user = *i;
	return false;
}

int reason_confirm_incident(struct reason *r, uint64_t id, const char *who, uint64_t unix_ns)
{
	struct journal_query q = {.id = id, .limit = 1};
	struct incident i = {0};
	char key[48], kept[8];

	if (id == 0 || journal_incidents(r->journal, &q, keep_incident, &i) < 0 || i.id != id)
		return -ENOENT;
	snprintf(key, sizeof(key), "confirmed %llu", (unsigned long long)id);
	if (journal_meta_get(r->journal, key, kept, sizeof(kept)) == 0)
		return -EALREADY;
	journal_failed(r, journal_meta_set(r->journal, key, "1"));
	journal_failed(r, journal_audit(r->journal, unix_ns, who, "incident", key));
	if (i.last_ns / DAY_NS != unix_ns / DAY_NS)
		return -ERANGE;
	for (unsigned k = 0; k < i.devices; k++)
		judge_confirm(r->judge, &i.device[k]);
	return 0;
}

unsigned reason_mode(const struct reason *r)
{
	return r->mode;
}

// Two clocks are read one after the other: what differs by less is the time in between.
void reason_set_deadline_offset(struct reason *r, int64_t offset_ns)
{
	int64_t set_by_ns = r->blocks_offset_ns - offset_ns;

	r->config.deadline_offset_ns = offset_ns;
	if (set_by_ns > -(int64_t)NS_PER_S && set_by_ns < (int64_t)NS_PER_S)
		return;
	r->blocks_offset_ns = offset_ns;
	r->now_ns = moved(r->now_ns, set_by_ns);
	r->set_by_ns = set_by_ns;
	r->set_until_ns = r->now_ns + LATELY_NS;
	journal_together(r->journal);
	respond_clock_set(r->respond, set_by_ns);
	block_written(r, journal_apart(r->journal));
}

void reason_resume(struct reason *r, uint64_t unix_ns)
{
	struct journal_query all = {0};

	r->now_ns = unix_ns;
	suppressed_load(r->journal, &r->suppressions, unix_ns);
	journal_incidents(r->journal, &all, restore_incident, r);
	journal_blocks(r->journal, &all, restore_block, r);
}

struct learn *reason_learn(struct reason *r)
{
	return r->learn;
}

struct judge *reason_judge(struct reason *r)
{
	return r->judge;
}

struct respond *reason_respond(struct reason *r)
{
	return r->respond;
}

struct suppress_set *reason_suppressions(struct reason *r)
{
	return &r->suppressions;
}

struct journal *reason_journal(struct reason *r)
{
	return r->journal;
}

const struct policy_set *reason_policies(const struct reason *r)
{
	return r->config.policies;
}

static bool is_listed(const struct prefix *list, unsigned n, const struct prefix *p)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i].bits == p->bits && address_equal(&list[i].address, &p->address))
			return true;
	return false;
}

// What is new on the never-block list holds at once and ends blocks that stand against it. What has gone from it stays protected until the next start.
static void add_never(struct reason *r, const struct policy_set *policies)
{
	unsigned n, olds;
	const struct prefix *never = policy_never_block(policies, &n), *old = policy_never_block(r->config.policies, &olds);

	for (unsigned i = 0; i < n; i++)
		if (!is_listed(old, olds, &never[i]) && respond_never(r->respond, &never[i]) < 0)
			count(r->counters, COUNT_BRAIN_BLOCKS_REFUSED);
}

void reason_set_policies(struct reason *r, struct policy_set *policies)
{
	add_never(r, policies);
	r->config.policies = policies;
	judge_set_policies(r->judge, policies);
	publish_certain(r);
}
