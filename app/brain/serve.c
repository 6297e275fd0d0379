// SPDX-License-Identifier: GPL-2.0-or-later
// What the CLI may ask of the brain: one function a verb, found in a table.
#include "brain.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_LIMIT = 100, LIMIT_MOST = 10000 /* records, so that no question keeps the brain from its frames */, DEVICES_MOST = 100000 };

struct call {
	struct brain *brain;
	const struct control_peer *peer;
	const Control__Request *q;
	Control__Reply *reply;
	uint64_t now_ns;
	unsigned hidden; // suppressed, of what was found
};

// Who asks for one by its number, or for all, sees what is suppressed.
static bool is_view(const struct call *c)
{
	return !c->q->id && !c->q->all;
}

static void say_hidden(const struct call *c)
{
	char text[96];

	if (c->reply->error || !c->hidden || !is_view(c))
		return;
	snprintf(text, sizeof(text), "%u suppressed are not shown; --all shows them", c->hidden);
	control_set(&c->reply->message, text);
}

static const struct story *story_for(const struct call *c)
{
	return c->brain->story[strcmp(c->q->lang, "ja") == 0];
}

static bool has_limit(const struct call *c, uint64_t most)
{
	if (c->q->limit <= most)
		return true;
	control_fail(c->reply, EINVAL, "%llu are too many at a time; %llu at most", (unsigned long long)c->q->limit, (unsigned long long)most);
	return false;
}

// false: said why not.
static bool read_query(const struct call *c, struct journal_query *q)
{
	*q = (struct journal_query){.id = c->q->id, .since_ns = c->q->since_ns, .min_priority = c->q->min_priority};
	if (!has_limit(c, LIMIT_MOST))
		return false;
	q->limit = c->q->limit ? (unsigned)c->q->limit : DEFAULT_LIMIT;
	if (!*c->q->address || address_parse(bytes_of_text(c->q->address), &q->device) == 0)
		return true;
	control_fail(c->reply, EINVAL, "\"%s\" is no device's address", c->q->address);
	return false;
}

static void journal_answer(const struct call *c, int found)
{
	if (found < 0)
		control_fail(c->reply, -found, "the journal could not be read: %s", strerror(-found));
	else if (found == 0 && c->q->id)
		control_fail(c->reply, ENOENT, "nothing has the number %llu", (unsigned long long)c->q->id);
}

static bool add_alert(void *user, const struct alert *a)
{
	struct call *c = user;
	bool hidden = suppress_hides(reason_suppressions(c->brain->reason), a, c->now_ns);
	Control__Alert *m;

	c->hidden += hidden;
	if (hidden && is_view(c))
		return true;
	m = control_append((void ***)&c->reply->alerts, &c->reply->n_alerts, sizeof(*m));

	if (m)
		message_alert(m, a, story_for(c), c->q->utc_offset_s);
	if (m)
		m->suppressed = hidden;
	return m != NULL;
}

static bool add_incident(void *user, const struct incident *i)
{
	struct call *c = user;
	bool hidden = brain_hides_incident(c->brain, i->id, c->now_ns);
	Control__Incident *m;

	c->hidden += hidden;
	if (hidden && is_view(c))
		return true;
	m = control_append((void ***)&c->reply->incidents, &c->reply->n_incidents, sizeof(*m));

	if (m)
		message_incident(m, i);
	if (m)
		m->suppressed = hidden;
	return m != NULL;
}

static bool add_block(void *user, const struct block *b)
{
	struct call *c = user;
	const struct block *live = respond_find(reason_respond(c->brain->reason), b->id);
	Control__Block *m = control_append((void ***)&c->reply->blocks, &c->reply->n_blocks, sizeof(*m));

	if (m)
		message_block(m, live ? live : b, c->now_ns);
	return m != NULL;
}

static void status(struct call *c)
{
	struct brain *b = c->brain;
	Control__Status *s = calloc(1, sizeof(*s));

	if (!s)
		return;
	control__status__init(s);
	control_set(&s->process, "sekimori-brain");
	control_set(&s->version, SEKIMORI_VERSION);
	control_set(&s->mode, mode_name(reason_mode(b->reason)));
	s->pid = (uint64_t)getpid();
	s->uptime_ns = clock_deadline_ns() - b->start_ns;
	s->brain_alive = true;
	s->devices = learn_device_count(reason_learn(b->reason));
	s->alerts = journal_next(reason_journal(b->reason), "alert") - 1;
	s->incidents = journal_next(reason_journal(b->reason), "incident") - 1;
	s->workers = b->workers;
	for (uint32_t i = 0; i < respond_count(reason_respond(b->reason)); i++)
		s->blocks += respond_at(reason_respond(b->reason), i)->state == BLOCK_ACTIVE;
	c->reply->status = s;
}

static void counters(struct call *c)
{
	for (unsigned k = COUNT_BRAIN_OBSERVATIONS; k < COUNTER_COUNT; k++) {
		Control__Counter *n = control_append((void ***)&c->reply->counters, &c->reply->n_counters, sizeof(*n));

		if (!n)
			return;
		control__counter__init(n);
		control_set(&n->name, counter_name(k));
		control_set(&n->text, counter_text(k));
		n->value = c->brain->counters.value[k];
	}
}

static void alerts(struct call *c)
{
	struct journal_query q;

	if (!read_query(c, &q))
		return;
	journal_answer(c, journal_alerts(reason_journal(c->brain->reason), &q, add_alert, c));
	say_hidden(c);
}

static void incidents(struct call *c)
{
	struct journal_query q;

	if (!read_query(c, &q))
		return;
	journal_answer(c, journal_incidents(reason_journal(c->brain->reason), &q, add_incident, c));
	say_hidden(c);
}

struct story_parts {
	struct incident incident;
	struct alert *alerts[STORY_ALERTS];
	struct block *blocks[STORY_BLOCKS];
	unsigned alert_count, block_count;
};

static bool keep_incident(void *user, const struct incident *i)
{
	((struct story_parts *)user)->incident = *i;
	return false;
}

static bool keep_alert(void *user, const struct alert *a)
{
	struct story_parts *p = user;

	if (p->alert_count == STORY_ALERTS || !(p->alerts[p->alert_count] = malloc(sizeof(*a))))
		return false;
	*p->alerts[p->alert_count++] = *a;
	return true;
}

static bool keep_block(void *user, const struct block *b)
{
	struct story_parts *p = user;

	if (p->block_count == STORY_BLOCKS || !(p->blocks[p->block_count] = malloc(sizeof(*b))))
		return false;
	*p->blocks[p->block_count++] = *b;
	return true;
}

static void tell(struct call *c, struct story_parts *p)
{
	char *text = malloc(STORY_BYTES);

	if (text && story_incident(story_for(c), &p->incident, (const struct alert *const *)p->alerts, p->alert_count,
				   (const struct block *const *)p->blocks, p->block_count, (uint64_t)c->q->utc_offset_s, text, STORY_BYTES) > 0)
		control_set(&c->reply->story, text);
	free(text);
}

static void incident_show(struct call *c)
{
	struct journal *j = reason_journal(c->brain->reason);
	struct journal_query by_id = {.id = c->q->id, .limit = 1}, by_incident = {.incident = c->q->id, .limit = STORY_ALERTS};
	struct story_parts *p = calloc(1, sizeof(*p));

	if (!p)
		return;
	journal_answer(c, journal_incidents(j, &by_id, keep_incident, p));
	if (p->incident.id) {
		journal_alerts(j, &by_incident, keep_alert, p);
		by_incident.limit = STORY_BLOCKS;
		journal_blocks(j, &by_incident, keep_block, p);
		add_incident(c, &p->incident);
		for (unsigned i = 0; i < p->alert_count; i++)
			add_alert(c, p->alerts[i]);
		for (unsigned i = 0; i < p->block_count; i++)
			add_block(c, p->blocks[i]);
		tell(c, p);
	}
	for (unsigned i = 0; i < p->alert_count; i++)
		free(p->alerts[i]);
	for (unsigned i = 0; i < p->block_count; i++)
		free(p->blocks[i]);
	free(p);
}

static void add_device(struct call *c, const struct device *d)
{
	Control__Device *m = control_append((void ***)&c->reply->devices, &c->reply->n_devices, sizeof(*m));

	if (m)
		message_device(m, d, reason_learn(c->brain->reason), c->now_ns);
}

static void devices(struct call *c)
{
	struct learn *l = reason_learn(c->brain->reason);
	uint64_t limit = c->q->limit ? c->q->limit : DEFAULT_LIMIT;
	const struct device *d;

	if (!has_limit(c, DEVICES_MOST))
		return;
	for (uint32_t i = 0; i < limit && (d = learn_device_at(l, i)); i++)
		add_device(c, d);
}

static void device_show(struct call *c)
{
	struct address a;
	const struct device *d = NULL;

	if (address_parse(bytes_of_text(c->q->address), &a) == 0)
		d = learn_device_find(reason_learn(c->brain->reason), &a);
	if (!d) {
		control_fail(c->reply, ENOENT, "no device has the address \"%s\"", c->q->address);
		return;
	}
	add_device(c, d);
	alerts(c);
}

static void blocks(struct call *c)
{
	struct journal_query q;

	if (!read_query(c, &q))
		return;
	journal_answer(c, journal_blocks(reason_journal(c->brain->reason), &q, add_block, c));
}

static void show_changed(struct call *c, int r, uint64_t id, const char *what)
{
	static const char not_valid[] = "it would shorten, last longer than 7d, or names no address, or a network wider than /16 (IPv6: /32)";
	const struct block *b = respond_find(reason_respond(c->brain->reason), id);

	if (r == -EPERM)
		control_fail(c->reply, EPERM, "%s: refused: the address is on the never-block list", what);
	else if (r == -ENOENT)
		control_fail(c->reply, ENOENT, "no block has the number %llu", (unsigned long long)id);
	else if (r < 0)
		control_fail(c->reply, -r, "%s: refused: %s", what, r == -EINVAL ? not_valid : strerror(-r));
	else if (b)
		add_block(c, b);
}

static void warn_if_idle(struct call *c)
{
	unsigned mode = reason_mode(c->brain->reason);
	char text[128];

	if (c->reply->error || mode >= MODE_ADVISE)
		return;
	snprintf(text, sizeof(text), "noted, but in mode %s nothing is refused: sekimori mode set advise (or enforce)", mode_name(mode));
	control_set(&c->reply->message, text);
}

static void block_add(struct call *c)
{
	struct block want = {.version = 1, .bytes = sizeof(want), .port = (uint16_t)c->q->port, .transport = (uint8_t)c->q->transport};
	struct prefix p;
	uint64_t id = 0;
	int r = c->q->port > UINT16_MAX || c->q->transport > UINT8_MAX ? -EINVAL : prefix_parse(bytes_of_text(c->q->address), &p);

	if (r == 0) {
		want.endpoint = p.address;
		want.endpoint_bits = p.bits;
		want.expires_ns = c->now_ns + (c->q->for_ns ? c->q->for_ns : RESPOND_DEFAULT_NS);
		snprintf(want.reason, sizeof(want.reason), "%s", c->q->reason);
		snprintf(want.who, sizeof(want.who), "%s", c->peer->name);
		r = respond_add(reason_respond(c->brain->reason), &want, c->now_ns, &id);
	}
	show_changed(c, r, id, "block add");
	warn_if_idle(c);
}

static void block_extend(struct call *c)
{
	show_changed(c, respond_extend(reason_respond(c->brain->reason), c->q->id, c->q->for_ns, c->q->until_ns, c->peer->name, c->now_ns),
		     c->q->id, "block extend");
}

static void block_lift(struct call *c)
{
	show_changed(c, respond_lift(reason_respond(c->brain->reason), c->q->id, c->q->reason, c->peer->name, c->now_ns), c->q->id, "block lift");
}

static void block_confirm(struct call *c)
{
	show_changed(c, respond_confirm(reason_respond(c->brain->reason), c->q->id, c->peer->name, c->now_ns), c->q->id, "block confirm");
}

static void mode_set(struct call *c)
{
	int m = name_to_index(mode_name, MODE_COUNT, bytes_of_text(c->q->mode));

	if (m < 0)
		control_fail(c->reply, EINVAL, "\"%s\" is no mode: learn, observe, advise or enforce", c->q->mode);
	else
		reason_set_mode(c->brain->reason, (unsigned)m, c->peer->name, c->now_ns);
	status(c);
}

static void panic_set(struct call *c)
{
	if (c->q->on && reason_mode(c->brain->reason) > MODE_OBSERVE)
		reason_set_mode(c->brain->reason, MODE_OBSERVE, c->peer->name, c->now_ns);
	status(c);
}

static void budget_get(struct call *c)
{
	struct judge_budget b;

	judge_get_budget(reason_judge(c->brain->reason), &b);
	c->reply->budget = calloc(1, sizeof(*c->reply->budget));
	if (c->reply->budget)
		message_budget(c->reply->budget, &b);
}

static void budget_set(struct call *c)
{
	if (reason_set_budget(c->brain->reason, c->q->alarms_per_day, c->q->blocks_per_day, c->peer->name, c->now_ns) < 0)
		control_fail(c->reply, EINVAL, "a budget is 0.01 to 10 alarms a day and up to 10 blocks, or 0 for none");
	budget_get(c);
}

static void incident_confirm(struct call *c)
{
	int r = reason_confirm_incident(c->brain->reason, c->q->id, c->peer->name, c->now_ns);

	if (r == -ENOENT)
		control_fail(c->reply, ENOENT, "no incident has the number %llu", (unsigned long long)c->q->id);
	else if (r == -EALREADY)
		control_set(&c->reply->message, "it was confirmed before; nothing changed");
	else if (r == -ERANGE)
		control_set(&c->reply->message, "noted; its alarms are of earlier days, whose budget is settled");
	if (r != -ENOENT)
		incidents(c);
}

static void baseline_list(struct call *c)
{
	struct baselines_entry entry[BASELINES_MOST];
	int n = baselines_list(c->brain->options.state, entry);

	if (n < 0)
		control_fail(c->reply, -n, "the snapshots could not be read: %s", strerror(-n));
	for (int i = 0; i < n; i++) {
		Control__Baseline *m = control_append((void ***)&c->reply->baselines, &c->reply->n_baselines, sizeof(*m));

		if (!m)
			return;
		control__baseline__init(m);
		control_set(&m->name, entry[i].name);
		m->time_ns = entry[i].time_ns;
		m->bytes = entry[i].bytes;
	}
}

static void baseline_answer(struct call *c, int error, const char *name)
{
	if (error == -EINVAL)
		control_fail(c->reply, EINVAL, "\"%s\" is no snapshot's name; sekimori baseline list", c->q->name);
	else if (error == -ENOENT)
		control_fail(c->reply, ENOENT, "there is no snapshot \"%s\"", c->q->name);
	else if (error == -ENOTSUP)
		control_fail(c->reply, EBADMSG, "refused: a baseline of another version of this program");
	else if (error == -EPROTO)
		control_fail(c->reply, EBADMSG, "refused: damaged, no baseline, or larger than this box's tables; nothing changed");
	else if (error < 0)
		control_fail(c->reply, -error, "the baseline: %s; nothing changed", strerror(-error));
	else if (name && *name)
		control_set(&c->reply->message, name);
}

static void baseline_save(struct call *c)
{
	char name[BASELINES_NAME_BYTES] = "";
	int error = reason_snapshot(c->brain->reason, c->now_ns, name);

	baseline_answer(c, error, name);
}

static void baseline_read(struct call *c)
{
	uint8_t *part = malloc(BASELINES_PART_BYTES);
	int n = part ? baselines_read(c->brain->options.state, c->q->name, c->q->offset, part, BASELINES_PART_BYTES) : -ENOMEM;

	baseline_answer(c, n, NULL);
	if (n <= 0) {
		free(part);
		return;
	}
	c->reply->data.data = part;
	c->reply->data.len = (size_t)n;
}

static void baseline_write(struct call *c)
{
	char name[BASELINES_NAME_BYTES];
	int error = baselines_write(c->brain->options.state, c->q->offset, bytes_of(c->q->data.data, c->q->data.len), c->now_ns, name);

	baseline_answer(c, error, name);
	if (!error && *name)
		journal_audit(reason_journal(c->brain->reason), c->now_ns, c->peer->name, "baseline import", name);
}

static void baseline_rollback(struct call *c)
{
	baseline_answer(c, reason_rollback(c->brain->reason, c->q->name, c->peer->name, c->now_ns), NULL);
}

static void policy_reload(struct call *c)
{
	char error[POLICY_ERROR_BYTES];
	struct policy_set *set = policy_load(c->brain->options.policy, error);

	if (!set) {
		control_fail(c->reply, EBADMSG, "%s (the old policies stay)", error); // the file is wrong, not the question
		return;
	}
	reason_set_policies(c->brain->reason, set);
	policy_free(c->brain->policies);
	c->brain->policies = set;
}

static void suppress(struct call *c)
{
	brain_suppress(c->brain, c->peer, c->q, c->reply, c->now_ns);
}

static void explain(struct call *c)
{
	brain_explain(c->brain, c->q, c->reply);
}

void brain_answer(void *brain, const struct control_peer *peer, const Control__Request *q, Control__Reply *reply)
{
	static void (*const verbs[])(struct call *) = {
		[CONTROL__VERB__STATUS] = status, [CONTROL__VERB__COUNTERS] = counters, [CONTROL__VERB__ALERT_LIST] = alerts,
		[CONTROL__VERB__ALERT_SHOW] = alerts, [CONTROL__VERB__INCIDENT_LIST] = incidents, [CONTROL__VERB__INCIDENT_SHOW] = incident_show,
		[CONTROL__VERB__DEVICE_LIST] = devices, [CONTROL__VERB__DEVICE_SHOW] = device_show, [CONTROL__VERB__BLOCK_LIST] = blocks,
		[CONTROL__VERB__BLOCK_SHOW] = blocks, [CONTROL__VERB__BLOCK_ADD] = block_add, [CONTROL__VERB__BLOCK_EXTEND] = block_extend,
		[CONTROL__VERB__BLOCK_LIFT] = block_lift, [CONTROL__VERB__BLOCK_CONFIRM] = block_confirm, [CONTROL__VERB__MODE_GET] = status,
		[CONTROL__VERB__MODE_SET] = mode_set, [CONTROL__VERB__POLICY_RELOAD] = policy_reload, [CONTROL__VERB__PANIC] = panic_set,
		[CONTROL__VERB__ALERT_EXPLAIN] = explain, [CONTROL__VERB__SUPPRESS_LIST] = suppress, [CONTROL__VERB__SUPPRESS_ADD] = suppress,
		[CONTROL__VERB__SUPPRESS_REMOVE] = suppress, [CONTROL__VERB__SUPPRESS_TRY] = suppress,
		[CONTROL__VERB__BUDGET_GET] = budget_get, [CONTROL__VERB__BUDGET_SET] = budget_set,
		[CONTROL__VERB__INCIDENT_CONFIRM] = incident_confirm, [CONTROL__VERB__BASELINE_LIST] = baseline_list,
		[CONTROL__VERB__BASELINE_SAVE] = baseline_save, [CONTROL__VERB__BASELINE_READ] = baseline_read,
		[CONTROL__VERB__BASELINE_WRITE] = baseline_write, [CONTROL__VERB__BASELINE_ROLLBACK] = baseline_rollback,
	};
	struct call c = {brain, peer, q, reply, clock_unix_ns(), 0};

	if ((size_t)q->verb < sizeof(verbs) / sizeof(verbs[0]) && verbs[q->verb])
		verbs[q->verb](&c);
	else
		control_fail(reply, ENOTSUP, "unknown request");
}
