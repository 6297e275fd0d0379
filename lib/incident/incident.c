// SPDX-License-Identifier: GPL-2.0-or-later
// Which alerts are one story: union by device or endpoint within 24 h. Knows nothing of what is done about it and
// nothing of storage. The brain's one thread calls it. Tables are small (INCIDENT_OPEN), alerts are few: it looks
// through them all, so that no index can be wrong.
#include "incident.h"

#include <errno.h>
#include <stdlib.h>

enum {
	NOTE_PRIORITY = 1, // a note: worth keeping, not worth an incident of its own
	NOTES = 256,       // remembered notes, for the incident that may follow one
};
#define EVIDENCE_BITS_MOST 60.0
#define ALERT_BITS_MOST 40.0 // one loud event must not outweigh three steps
enum { BELIEVED_BITS = 24, PHASE_BITS = 2, EXPOSED_BITS = 4, CERTAIN_BITS = 20 };

struct slot {
	struct incident i; // i.id 0: free
	bool changed;      // closed or merged without an alert of its own: the journal should hear
};

struct note { // a priority-1 alert that found no incident
	uint64_t id, time_ns;
	struct address device, endpoint;
	double bits;
	uint8_t phase;
	bool exposed;
};

struct incident_table {
	struct slot slot[INCIDENT_OPEN];
	struct note note[NOTES]; // ring
	uint32_t note_next;
	uint64_t claimed[NOTES]; // ids of notes the latest opened incident took with it
	uint32_t claimed_count;
	uint64_t next_id;
	struct incident pushed; // out of its slot by a new one before it was told; id 0: none
	struct incident told;   // the one pushed out, while the caller looks at it
};

struct incident_table *incident_table_create(uint64_t next_id)
{
	struct incident_table *t = calloc(1, sizeof(*t));

	if (t)
		t->next_id = next_id ? next_id : 1;
	return t;
}

void incident_table_destroy(struct incident_table *t)
{
	free(t);
}

struct incident *incident_find(struct incident_table *t, uint64_t id)
{
	for (size_t n = 0; id && n < INCIDENT_OPEN; n++)
		if (t->slot[n].i.id == id)
			return &t->slot[n].i;
	return NULL;
}

static bool has(const struct address *set, uint8_t count, const struct address *a)
{
	for (uint8_t n = 0; n < count; n++)
		if (address_equal(&set[n], a))
			return true;
	return false;
}

// Adds unless present. A full set loses its oldest, so that the newest can still be linked to.
static void put(struct address *set, uint8_t *count, uint8_t most, const struct address *a)
{
	if (!address_is_set(a) || has(set, *count, a))
		return;
	if (*count == most) {
		memmove(&set[0], &set[1], (most - 1u) * sizeof(*set));
		*count = (uint8_t)(most - 1);
	}
	set[(*count)++] = *a;
}

static bool is_quiet(const struct incident *i, uint64_t now_ns)
{
	return now_ns > i->last_ns && now_ns - i->last_ns > INCIDENT_WINDOW_NS;
}

// Addresses an alert links by. Both ends of a lateral flow are devices of ours.
struct ends {
	const struct address *device[2];
	const struct address *endpoint;
};

static struct ends ends_of(const struct alert *a)
{
	struct ends e = {{NULL, NULL}, NULL};

	if (address_is_set(&a->device))
		e.device[0] = &a->device;
	// A resolver answers everybody: that two devices asked the same one says nothing about them.
	if (!address_is_set(&a->endpoint) || address_is_special(&a->endpoint) || a->app == APP_DNS)
		return e;
	if (a->direction == DIRECTION_LATERAL)
		e.device[1] = &a->endpoint;
	else
		e.endpoint = &a->endpoint;
	return e;
}

static bool is_linked(const struct incident *i, const struct ends *e)
{
	for (int n = 0; n < 2; n++)
		if (e->device[n] && has(i->device, i->devices, e->device[n]))
			return true;
	return e->endpoint && has(i->endpoint, i->endpoints, e->endpoint);
}

static void close_slot(struct slot *s, uint8_t state)
{
	s->i.state = state;
	s->changed = true;
}

// The open incident with the smallest id above `after` that the alert is part of; quiet ones are closed in passing.
static struct slot *next_linked(struct incident_table *t, const struct ends *e, uint64_t now_ns, uint64_t after)
{
	struct slot *best = NULL;

	for (size_t n = 0; n < INCIDENT_OPEN; n++) {
		struct slot *s = &t->slot[n];

		if (s->i.id <= after || s->i.state != 0)
			continue;
		if (is_quiet(&s->i, now_ns)) {
			close_slot(s, 1);
			continue;
		}
		if ((!best || s->i.id < best->i.id) && is_linked(&s->i, e))
			best = s;
	}
	return best;
}

// One in 2^24 is beyond what any network shows: what is above says more of the model's error than of the device.
static double believed(double bits)
{
	return bits < BELIEVED_BITS ? bits : BELIEVED_BITS + (bits - BELIEVED_BITS) / 4;
}

// Not the sum of its alerts' own bits: these say how odd an event is, not how seldom that happens here.
static double score_of(const struct incident *i)
{
	double bits = believed(i->evidence > 0 ? i->evidence : i->bits);

	for (unsigned p = 0; p < PHASE_COUNT; p++)
		bits += i->phases & 1u << p ? PHASE_BITS : 0;
	return bits + (i->exposed ? EXPOSED_BITS : 0) + (i->certain ? CERTAIN_BITS : 0);
}

static void raise_phase(struct slot *s, unsigned phase, double bits)
{
	if (phase >= PHASE_COUNT)
		return;
	if (bits > ALERT_BITS_MOST)
		bits = ALERT_BITS_MOST;
	s->i.phases |= 1u << phase;
	if (bits > s->i.bits)
		s->i.bits = bits;
}

static void raise_evidence(struct slot *s, const struct alert *a)
{
	const int64_t *level = a->proof.evidence.level;
	double bits = (double)(level[0] > level[1] ? level[0] : level[1]) / EVIDENCE_BIT;

	if (bits > EVIDENCE_BITS_MOST)
		bits = EVIDENCE_BITS_MOST;
	if (bits > s->i.evidence)
		s->i.evidence = bits;
}

static void stretch(struct incident *i, uint64_t first_ns, uint64_t last_ns)
{
	if (first_ns < i->first_ns)
		i->first_ns = first_ns;
	if (last_ns > i->last_ns)
		i->last_ns = last_ns;
}

static void merge(struct slot *into, struct slot *from)
{
	for (uint8_t n = 0; n < from->i.devices; n++)
		put(into->i.device, &into->i.devices, INCIDENT_DEVICES, &from->i.device[n]);
	for (uint8_t n = 0; n < from->i.endpoints; n++)
		put(into->i.endpoint, &into->i.endpoints, INCIDENT_ENDPOINTS, &from->i.endpoint[n]);
	into->i.phases |= from->i.phases;
	if (from->i.bits > into->i.bits)
		into->i.bits = from->i.bits;
	stretch(&into->i, from->i.first_ns, from->i.last_ns);
	into->i.alerts += from->i.alerts;
	into->i.exposed |= from->i.exposed;
	into->i.certain |= from->i.certain;
	if (from->i.evidence > into->i.evidence)
		into->i.evidence = from->i.evidence;
	if (from->i.priority > into->i.priority)
		into->i.priority = from->i.priority;
	from->i.merged_into = into->i.id;
	close_slot(from, 1);
}

// A free slot, else the closed one that has been quiet longest, else the open one.
static struct slot *slot_for_new(struct incident_table *t)
{
	struct slot *best = NULL;

	for (size_t n = 0; n < INCIDENT_OPEN; n++) {
		struct slot *s = &t->slot[n];

		if (!s->i.id)
			return s;
		if (!best || (s->i.state != 0) > (best->i.state != 0) ||
		    ((s->i.state != 0) == (best->i.state != 0) && s->i.last_ns < best->i.last_ns))
			best = s;
	}
	return best;
}

static void remember_note(struct incident_table *t, const struct alert *a)
{
	t->note[t->note_next++ % NOTES] = (struct note){.id = a->id,
							.time_ns = a->time_ns,
							.device = a->device,
							.endpoint = a->endpoint,
							.bits = a->bits,
							.phase = a->phase,
							.exposed = a->exposed != 0};
}

// The attempt comes before the success that opens the incident: notes about the same device and the same endpoint
// belong to it.
static void claim_notes(struct incident_table *t, struct slot *s, const struct alert *a)
{
	for (uint32_t n = 0; n < NOTES; n++) {
		struct note *note = &t->note[(t->note_next + n) % NOTES];

		if (!note->time_ns || note->time_ns > a->time_ns || a->time_ns - note->time_ns > INCIDENT_WINDOW_NS ||
		    !address_equal(&note->device, &a->device) || !address_equal(&note->endpoint, &a->endpoint))
			continue;
		s->i.alerts++;
		s->i.exposed |= note->exposed;
		raise_phase(s, note->phase, note->bits);
		stretch(&s->i, note->time_ns, note->time_ns);
		if (note->id)
			t->claimed[t->claimed_count++] = note->id;
		note->time_ns = 0;
	}
}

static struct slot *open_new(struct incident_table *t, const struct alert *a)
{
	struct slot *s = slot_for_new(t);

	if (s->i.id && s->i.state == 0)
		close_slot(s, 1);
	if (s->changed) // one at most between two askings
		t->pushed = s->i;
	*s = (struct slot){0};
	s->i = (struct incident){.version = ALERT_VERSION,
				 .bytes = sizeof(s->i),
				 .id = t->next_id++,
				 .first_ns = a->time_ns,
				 .last_ns = a->time_ns};
	claim_notes(t, s, a);
	return s;
}

static void add_to(struct slot *s, struct alert *a, const struct ends *e)
{
	s->i.alerts++;
	stretch(&s->i, a->time_ns, a->time_ns);
	if (a->priority > s->i.priority)
		s->i.priority = a->priority;
	s->i.exposed |= a->exposed != 0;
	s->i.certain |= a->certain && a->priority > NOTE_PRIORITY;
	raise_evidence(s, a);
	raise_phase(s, a->phase, a->bits);
	// A note is an attempt, not an effect: a scanner that tries a hundred servers must not tie their incidents
	// together.
	if (a->priority > NOTE_PRIORITY) {
		for (int n = 0; n < 2; n++)
			if (e->device[n])
				put(s->i.device, &s->i.devices, INCIDENT_DEVICES, e->device[n]);
		if (e->endpoint)
			put(s->i.endpoint, &s->i.endpoints, INCIDENT_ENDPOINTS, e->endpoint);
	}
	s->i.score = score_of(&s->i);
	a->incident = s->i.id;
}

struct incident *incident_add(struct incident_table *t, struct alert *a, uint64_t *merged)
{
	struct ends e = ends_of(a);
	bool note = a->priority <= NOTE_PRIORITY;
	struct slot *s = next_linked(t, &e, a->time_ns, 0);
	struct slot *other = s && !note ? next_linked(t, &e, a->time_ns, s->i.id) : NULL;

	*merged = 0;
	a->incident = 0;
	t->claimed_count = 0;
	if (!s && note) {
		remember_note(t, a);
		return NULL;
	}
	if (!s)
		s = open_new(t, a);
	if (other) {
		merge(s, other);
		*merged = other->i.id;
	}
	add_to(s, a, &e);
	return &s->i;
}

uint32_t incident_claimed(const struct incident_table *t, const uint64_t **ids)
{
	*ids = t->claimed;
	return t->claimed_count;
}

int incident_close(struct incident_table *t, uint64_t id)
{
	for (size_t n = 0; id && n < INCIDENT_OPEN; n++) {
		if (t->slot[n].i.id != id || t->slot[n].i.state != 0)
			continue;
		close_slot(&t->slot[n], 2);
		return 0;
	}
	return -ENOENT;
}

const struct incident *incident_changed(struct incident_table *t)
{
	if (t->pushed.id) {
		t->told = t->pushed;
		t->pushed.id = 0;
		return &t->told;
	}
	for (size_t n = 0; n < INCIDENT_OPEN; n++) {
		if (!t->slot[n].changed)
			continue;
		t->slot[n].changed = false;
		return &t->slot[n].i;
	}
	return NULL;
}

void incident_taken(struct incident_table *t, uint64_t id)
{
	if (id >= t->next_id)
		t->next_id = id + 1;
}

int incident_restore(struct incident_table *t, const struct incident *i)
{
	struct slot *s = NULL;

	if (i->version != ALERT_VERSION || i->bytes != sizeof(*i) || !i->id || i->devices > INCIDENT_DEVICES ||
	    i->endpoints > INCIDENT_ENDPOINTS)
		return -EINVAL;
	for (size_t n = 0; n < INCIDENT_OPEN; n++) {
		if (t->slot[n].i.id == i->id)
			return -EEXIST;
		if (!s && !t->slot[n].i.id)
			s = &t->slot[n];
	}
	incident_taken(t, i->id);
	if (!s)
		return -ENOSPC;
	*s = (struct slot){.i = *i};
	return 0;
}

void incident_step(struct incident_table *t, uint64_t now_ns)
{
	for (size_t n = 0; n < INCIDENT_OPEN; n++)
		if (t->slot[n].i.id && t->slot[n].i.state == 0 && is_quiet(&t->slot[n].i, now_ns))
			close_slot(&t->slot[n], 1);
}
