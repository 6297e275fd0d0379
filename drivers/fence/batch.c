// SPDX-License-Identifier: GPL-2.0-or-later
// The netlink conversation. Acknowledged is the last message of a transaction only; errors come for whichever message
// they concern.
#include "batch.h"
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { ANSWER_SECONDS = 5, ANSWER_BYTES = 1 << 15 /* the kernel's largest dump message */ };

int batch_open(struct batch *b)
{
	struct timeval patience = {.tv_sec = ANSWER_SECONDS}; // a kernel that does not answer must not stop the brain

	b->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!b->socket)
		return -errno;
	if (mnl_socket_bind(b->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(b->socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0) {
		int error = -errno;

		batch_close(b);
		return error;
	}
	return 0;
}

void batch_close(struct batch *b)
{
	if (b->socket)
		mnl_socket_close(b->socket);
	b->socket = NULL;
}

void batch_begin(struct batch *b)
{
	b->error[0] = '\0';
	b->refused = false;
	b->count = 0;
	b->last = NULL;
	b->first = b->sequence + 1;
	b->used = nftnl_batch_begin((char *)b->at, ++b->sequence)->nlmsg_len;
}

struct nlmsghdr *batch_message(struct batch *b, uint16_t type, uint16_t flags, const char *what)
{
	if (b->count == BATCH_MESSAGES || b->used + 2 * BATCH_MESSAGE_BYTES > BATCH_BYTES)
		return NULL;
	b->what[b->count++] = what;
	b->last = nftnl_nlmsg_build_hdr((char *)b->at + b->used, type, NFPROTO_INET, flags, ++b->sequence);
	return b->last;
}

void batch_message_end(struct batch *b, struct nlmsghdr *message)
{
	b->used += MNL_ALIGN(message->nlmsg_len);
}

static int fail(struct batch *b, int error, const char *what)
{
	snprintf(b->error, sizeof(b->error), "%s%s%s", what, *what ? ": " : "", strerror(error));
	return -error;
}

// The kernel's word on one message of this transaction. Returns whether the conversation is over.
static bool answer(struct batch *b, const struct nlmsghdr *h, int *result)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
	uint32_t i = h->nlmsg_seq - b->first; // 0 is the begin

	if (h->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(h) < sizeof(*e) || i > b->count)
		return false; // of an earlier transaction that was given up on
	if (e->error && *result == 0) {
		b->refused = i == 0;
		*result = fail(b, -e->error, i == 0 ? "" : b->what[i - 1]);
	}
	return i == 0 || i == b->count;
}

int batch_commit(struct batch *b)
{
	uint8_t answers[ANSWER_BYTES] __attribute__((aligned(8)));
	bool over = b->count == 0;
	int result = 0;

	if (over)
		return 0;
	b->last->nlmsg_flags |= NLM_F_ACK;
	b->used += nftnl_batch_end((char *)b->at + b->used, ++b->sequence)->nlmsg_len;
	if (mnl_socket_sendto(b->socket, b->at, b->used) < 0)
		return fail(b, errno, "netlink");
	while (!over) {
		ssize_t n = mnl_socket_recvfrom(b->socket, answers, sizeof(answers));
		int left = (int)n;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(b, n < 0 && errno != EAGAIN ? errno : ETIMEDOUT, "netlink");
		for (const struct nlmsghdr *h = (const void *)answers; mnl_nlmsg_ok(h, left) && !over;
		     h = mnl_nlmsg_next(h, &left))
			over = answer(b, h, &result);
	}
	return result;
}

int batch_dump(struct batch *b, struct nlmsghdr *message, const char *what, mnl_cb_t each, void *user)
{
	uint8_t answers[ANSWER_BYTES] __attribute__((aligned(8)));
	uint32_t sequence = ++b->sequence;
	int more = MNL_CB_OK;

	b->error[0] = '\0';
	message->nlmsg_seq = sequence;
	if (mnl_socket_sendto(b->socket, message, message->nlmsg_len) < 0)
		return fail(b, errno, "netlink");
	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(b->socket, answers, sizeof(answers));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(b, n < 0 && errno != EAGAIN ? errno : ETIMEDOUT, "netlink");
		if (((const struct nlmsghdr *)(const void *)answers)->nlmsg_seq != sequence)
			continue; // late answer to something given up on
		more = mnl_cb_run(answers, (size_t)n, sequence, mnl_socket_get_portid(b->socket), each, user);
	}
	return more < 0 ? fail(b, errno, what) : 0;
}
