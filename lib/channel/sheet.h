// SPDX-License-Identifier: GPL-2.0-or-later
// The two memory files. The wire makes both and hands them to a brain over a Unix socket (SCM_RIGHTS): it keeps the wire
// sheet writable (sealed with FUTURE_WRITE towards the brain) and maps the brain sheet read-only. Both carry SHRINK|GROW|SEAL,
// so neither side can pull the memory away from the other. In replay both are plain memory.
#pragma once
#include "observation.h"
#include "ring.h"
#include "siphash.h"
#include "verdict.h"

enum sheet_limits {
	SHEET_VERSION = 1,
	SHEET_WORKERS = 16,
	SHEET_OBSERVATION_SLOTS = 1 << 15, // 2 MiB a worker
	SHEET_VERDICT_SLOTS = 1 << 12,
	SHEET_CERTAIN = 16,
	SHEET_FILTER_BITS = 1 << 23,       // known-pair filter: 1 MiB, 4 probes: 200 000 keys at 1e-4 false "known"
};
#define SHEET_MAGIC 0x53454b494d4f5249ull // "SEKIMORI"

struct wire_sheet { // written by the wire only
	uint64_t magic;
	uint32_t version, workers;
	uint64_t epoch;                     // random, new at each start of the wire: flow ids are unique within it
	struct siphash_key filter_key;      // for the known-pair filter
	uint32_t panic;                     // 1: no worker enforces, by signal or by CLI; changes any time, relaxed atomic
	uint8_t pad[128 - 44];
	struct {
		struct ring_producer_page observations;
		struct ring_consumer_page verdicts;
		uint8_t slots[SHEET_OBSERVATION_SLOTS * RING_SLOT_BYTES];
	} worker[];
};

// What the wire may cut by itself, on the packet that carries the fact.
struct certain_rule {
	uint8_t fact;            // enum fact
	uint8_t direction;       // enum direction of the flow, 0 = any
	uint8_t from_outside;    // 1: only bytes sent by the outside end
	uint8_t needs_exposed;   // 1: only when the device is a server, of the outside or the inside (filter says so)
	uint8_t needs_unknown;   // 1: only when the endpoint is not known to this device
	uint8_t needs_bare;      // 1: only when no request of the flow had a host name
	uint8_t zero[2];
};

enum sheet_mode { MODE_LEARN, MODE_OBSERVE, MODE_ADVISE, MODE_ENFORCE, MODE_COUNT };
const char *mode_name(unsigned mode);

struct brain_sheet { // written by the brain only; every field is range-checked by the wire
	uint64_t magic;
	uint32_t version;
	uint32_t mode;                      // enum sheet_mode. Only ENFORCE cuts, blocks or holds
	uint64_t heartbeat_ns;              // deadline clock, stored at least every 20 ms
	uint32_t hold;                      // 1: hold the first frame of unknown outward pairs
	uint32_t hold_us;                   // longest wait, at most 1000
	uint32_t certain_version;           // odd while being written (sequence lock)
	uint32_t certain_count;
	struct certain_rule certain[SHEET_CERTAIN];
	uint8_t pad[64];
	struct {
		struct ring_consumer_page observations;
		struct ring_producer_page verdicts;
		uint8_t slots[SHEET_VERDICT_SLOTS * RING_SLOT_BYTES];
	} worker[SHEET_WORKERS];
	uint64_t filter[SHEET_FILTER_BITS / 64]; // Bloom filter; see filter_* below
};

enum filter_tag { FILTER_PAIR = 1 /* device and endpoint */, FILTER_EXPOSED = 2 /* device is an exposed server */ };

// One key of the known-pair filter. For FILTER_EXPOSED b is ignored.
void filter_add(struct brain_sheet *sheet, const struct siphash_key *key, enum filter_tag tag, const struct address *a,
		const struct address *b);
void filter_clear(struct brain_sheet *sheet); // readers may meet a half of it: what is gone is only unknown
bool filter_has(const struct brain_sheet *sheet, const struct siphash_key *key, enum filter_tag tag, const struct address *a,
		const struct address *b);

// Bytes of a wire sheet for so many workers.
size_t wire_sheet_bytes(unsigned workers);
// Fills headers of zeroed memory.
void wire_sheet_init(struct wire_sheet *sheet, unsigned workers, uint64_t epoch, const struct siphash_key *filter_key);
void brain_sheet_init(struct brain_sheet *sheet);
// The brain's own look at a wire sheet of `bytes` bytes: magic, version, workers fit. 0 or -EPROTO.
int wire_sheet_check(const struct wire_sheet *sheet, size_t bytes);

// Live only (Linux): a memory file sealed against SHRINK and GROW, not yet against more seals. *out_fd and *out_map are
// the caller's; munmap and close end them. 0 or -errno.
int sheet_create(const char *name, size_t bytes, int *out_fd, void **out_map);
// Then one of the two. Both add F_SEAL_SEAL: no peer can add a seal of its own. 0 or -errno.
// sheet_seal: the peer may map it writable (brain sheet). sheet_seal_writer: also F_SEAL_FUTURE_WRITE, later writable
// mappings are refused, ours stays (wire sheet).
int sheet_seal(int fd);
int sheet_seal_writer(int fd);
// Maps a file received from the peer after checking its size and that SHRINK and GROW are sealed (else a truncation would
// kill us by SIGBUS). 0 or -errno (-EPERM: seals missing, -EPROTO: another size).
int sheet_map(int fd, size_t bytes, bool writable, void **out_map);
