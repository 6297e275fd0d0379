// SPDX-License-Identifier: GPL-2.0-or-later
// One nftables transaction over netlink: all of its messages take effect or none does. Between batch.c and nft.c
// only.
#pragma once
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include "bytes.h"

enum batch_limits {
	BATCH_BYTES = 1 << 16,
	BATCH_MESSAGES = 96,
	BATCH_MESSAGE_BYTES = 2048, // none of ours is longer
	BATCH_ERROR_BYTES = 160,
};

struct batch {
	struct mnl_socket *socket;
	uint32_t sequence; // of the last message ever sent
	uint32_t first;    // of this transaction's first
	uint32_t count;    // messages in it, without begin and end
	uint32_t used;     // bytes of at[]
	struct nlmsghdr *last;
	const char *what[BATCH_MESSAGES]; // each message's object, for the error text; static or outliving the batch
	char error[BATCH_ERROR_BYTES];    // of the last transaction or dump, "" = none
	bool refused;                     // it failed as a whole, before its first message: no CAP_NET_ADMIN
	uint8_t at[BATCH_BYTES] __attribute__((aligned(8)));
};

// Opens the netlink socket. 0 or -errno.
int batch_open(struct batch *b);
void batch_close(struct batch *b);
// Starts an empty transaction.
void batch_begin(struct batch *b);
// The header of a further message: NFT_MSG_* type and NLM_F_* flags; its payload is then put behind it by libnftnl.
// NULL when full.
struct nlmsghdr *batch_message(struct batch *b, uint16_t type, uint16_t flags, const char *what);
// Takes the message in once its payload is complete.
void batch_message_end(struct batch *b, struct nlmsghdr *message);
// Sends all and waits for the kernel's answer. 0 or -errno of the first message it refused, with its name in error.
int batch_commit(struct batch *b);
// Sends one message made by nftnl_nlmsg_build_hdr in at[] (NLM_F_DUMP) and hands every answer to `each`. 0 or -errno.
int batch_dump(struct batch *b, struct nlmsghdr *message, const char *what, mnl_cb_t each, void *user);
