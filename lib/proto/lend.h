// SPDX-License-Identifier: GPL-2.0-or-later
// Large buffers, lent while a conversation needs them: most flows at most times are between two messages and need none. All blocks are taken at
// start-up. When a kind is used up, whoever has not been fed for longest loses his block: saying little keeps nobody else's bytes from being looked at.
// One thread.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum lend_kind {
	LEND_STATE,   // a parser's whole state, or a stream of no known protocol: PROTO_STATE_BYTES
	LEND_WORK,    // one side of a message in hand: PROTO_WORK_BYTES
	LEND_INFLATE, // one layer of a compressed body: struct inflate
	LEND_KINDS
};

struct lend;

struct lend *lend_create(const uint32_t count[LEND_KINDS]); // NULL with errno
void lend_destroy(struct lend *l);
// Sets *holder to a block of that kind, its bytes as the last holder left them. *holder becomes NULL when the block is taken away, so it must stay where
// it is until lend_give. NULL (returned and set): there are none of this kind. l may be NULL: there is nothing to lend.
void *lend_take(struct lend *l, enum lend_kind kind, void **holder);
// *holder, if not NULL, is wanted again: it is now the last to be taken away.
void lend_touch(struct lend *l, void **holder);
// Gives *holder back, if not NULL, and sets it to NULL.
void lend_give(struct lend *l, void **holder);
// How many of a kind are lent.
uint32_t lend_count(const struct lend *l, enum lend_kind kind);
