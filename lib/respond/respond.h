// SPDX-License-Identifier: GPL-2.0-or-later
// Alert → action, with limits and undo. Decides by mode; never the port alone; never an address of the never-block list; every block has an end. Holds the one desired
// state of blocks; wire and fence are fed from it. Blocks are in wall time here (UNIX ns); the caller converts to the wire's deadline clock.
#pragma once
#include "alert.h"
#include "verdict.h"
#include "sheet.h"

enum respond_limits { RESPOND_BLOCKS = 100000, RESPOND_PER_MINUTE = 30, RESPOND_REASON = 128 };
#define RESPOND_DEFAULT_NS (2ull * 3600 * 1000000000ull)
#define RESPOND_LONGEST_NS (7ull * 24 * 3600 * 1000000000ull)

enum block_state { BLOCK_WOULD, BLOCK_PENDING /* advise: waits for a person */, BLOCK_ACTIVE, BLOCK_EXPIRED, BLOCK_LIFTED, BLOCK_STATES };
const char *block_state_name(unsigned state);

struct block {
	uint32_t version, bytes;
	uint64_t id, incident, alert;       // alert 0: made by a person
	uint64_t made_ns, expires_ns;       // UNIX ns
	uint64_t evidence_ns;               // UNIX ns of the offending frame
	struct address endpoint;
	uint32_t endpoint_bits;
	uint16_t port;                      // 0 = all ports of the endpoint
	uint8_t transport, state;
	uint64_t frames;                    // dropped by it, as far as the wire told
	uint64_t suppress_until_ns;         // after a lift: not re-made before that
	char policy[48];
	char reason[RESPOND_REASON];
	char who[32];                       // "sekimori" or the operator's user name
	uint32_t extensions;
	uint32_t length_s;                  // as its alert asked for: attempts prolong it by no more. 0 = RESPOND_DEFAULT_NS
};

struct respond_hooks { // called synchronously; errors are counted by the caller
	void (*block)(void *user, const struct block *b);                 // make or renew at wire and fence
	void (*unblock)(void *user, const struct block *b);
	void (*cut)(void *user, uint64_t flow, const struct alert *a);    // end this flow now
	void (*changed)(void *user, const struct block *b, const char *what); // journal: "made" "extended" "lifted" "expired" "would" "pending" "moved"
	void *user;
};

struct respond;
struct respond *respond_create(uint64_t next_id, const struct respond_hooks *hooks, struct counters *counters); // NULL with errno
void respond_destroy(struct respond *r);
int respond_never(struct respond *r, const struct prefix *p);
bool respond_is_never(const struct respond *r, const struct address *a);
// May a flow to or from that address be cut at all? Not if it is on the never-block list.
bool respond_may_cut(const struct respond *r, const struct address *endpoint);
// Acts on an alert as mode allows and fills a->response and a->block. observe: RESPONSE_WOULD_BLOCK, nothing is done.
void respond_alert(struct respond *r, struct alert *a, unsigned mode);
// The wire dropped so many frames by block `id`: counted, and an automatic block is prolonged while attempts go on
// (once half of the time it was made for is over, by that time; 24 h in all at most).
void respond_attempts(struct respond *r, uint64_t id, uint64_t frames, uint64_t now_ns);
// A person's block. -EPERM never-block list, -EINVAL (no end, too long, no address), -ENOSPC. *id out.
int respond_add(struct respond *r, const struct block *want, uint64_t now_ns, uint64_t *id);
// by_ns adds; until_ns sets the end. Never shortens (-EINVAL). -ENOENT.
int respond_extend(struct respond *r, uint64_t id, uint64_t by_ns, uint64_t until_ns, const char *who, uint64_t now_ns);
// Ends it; the same target is not blocked again before its original end. -ENOENT.
int respond_lift(struct respond *r, uint64_t id, const char *reason, const char *who, uint64_t now_ns);
int respond_confirm(struct respond *r, uint64_t id, const char *who, uint64_t now_ns); // pending → active. -ENOENT
void respond_step(struct respond *r, uint64_t now_ns);   // expires what has ended
// After a restart: made again with the remaining time; a lift is said again. -EPERM: on the never-block list by now; it is ended at wire and fence, too.
int respond_restore(struct respond *r, const struct block *b, uint64_t now_ns);
// The wall clock was set, by so much: what stands keeps the time that remains to it, and the wire, whose deadlines are on another clock, hears nothing.
void respond_clock_set(struct respond *r, int64_t by_ns);
struct block *respond_find(struct respond *r, uint64_t id);
uint32_t respond_count(const struct respond *r);
const struct block *respond_at(const struct respond *r, uint32_t i); // NULL past the end
