// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks as elements of nftables sets, for paths the kernel forwards (tap mode on a gateway, a host's own traffic).
// The kernel itself forgets each element at its time, with everybody else dead. One table of our own, "inet
// sekimori", owned and persistent where the kernel can (Linux 6.9): nobody else can empty it while we live, it stays
// when we die, and the next fence_open adopts it with its elements. `nft list table inet sekimori` shows each element
// with its remaining time and the incident it belongs to. Needs CAP_NET_ADMIN. Not for the packet path; one thread
// per fence.
#pragma once
#include "address.h"

enum fence_limits {
	FENCE_COMMENT_BYTES = 128, // with the NUL; longer ones are cut
	FENCE_TABLE_BYTES = 32,    // table name with the NUL
};
#define FENCE_LONGEST_MS (7ull * 24 * 3600 * 1000)

struct fence;

struct fence_block {
	struct address endpoint;           // the outside address; prefixes cannot be fenced
	uint16_t port;                     // its port, 0 = all of them
	uint8_t transport;                 // 6, 17, or 0 = any (with a port: TCP and UDP, two elements)
	uint64_t remaining_ms;             // until the kernel forgets it, 1..FENCE_LONGEST_MS
	char comment[FENCE_COMMENT_BYTES]; // "incident 42 ..."
};

// Makes or adopts the table with its sets, chains and rules, in one transaction. Elements an earlier run left stay.
// NULL on failure: errno (EPERM: no CAP_NET_ADMIN, or a living process owns the table) and the reason in error.
struct fence *fence_open(const char *table, char *error, size_t error_bytes);
// Closes the connection and frees; NULL is fine. Table and elements stay (kernels before 6.9: too, the table is not
// owned there).
void fence_close(struct fence *f);
// Closes and removes the table with everything in it. 0 or -errno.
int fence_destroy(struct fence *f);

// All below: 0 or -errno, the reason in fence_error. -ENOENT also where somebody has removed the table: close and
// open again.

// Adds. -EEXIST if that endpoint, transport and port is fenced; -EINVAL for what cannot be (no address, no or too
// long a time).
int fence_add(struct fence *f, const struct fence_block *b);
// Adds, or gives the element a new time and comment: delete and add in one transaction, because kernels before 6.12
// do not change the time of an element that is added again.
int fence_replace(struct fence *f, const struct fence_block *b);
// Removes the element of b's endpoint, transport and port. -ENOENT if there is none (it may have ended by itself).
int fence_remove(struct fence *f, const struct fence_block *b);
// Removes all elements.
int fence_clear(struct fence *f);
// Calls `each` for every element the kernel holds now, with its remaining time; *b is valid during the call. `each`
// must not use f.
int fence_list(struct fence *f, void (*each)(void *user, const struct fence_block *b), void *user);
// Why the last call failed: "set blocked4: No such file or directory". "" after a success. Belongs to f.
const char *fence_error(const struct fence *f);
