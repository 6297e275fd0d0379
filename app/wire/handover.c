// SPDX-License-Identifier: GPL-2.0-or-later
// Gives the two memory files to a brain over a Unix socket (SCM_RIGHTS). One brain at a time: a second one is refused while the first one's connection lives,
// because a ring has one consumer. When it goes, the next one gets the same files and goes on where they stand.
#include "handover.h"
#include "wire.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct handover {
	const struct wire *wire;
	int listener, brain;
};

struct handover *handover_listen(const char *path, const struct wire *w)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct handover *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->wire = w;
	h->brain = -1;
	if (strlen(path) >= sizeof(address.sun_path)) { // an empty name would be bound, unseen by any brain
		free(h);
		errno = ENAMETOOLONG;
		return NULL;
	}
	strcpy(address.sun_path, path);
	h->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unlink(path);
	if (h->listener >= 0 && bind(h->listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(h->listener, 4) == 0)
		return h;
	if (h->listener >= 0)
		close(h->listener);
	free(h);
	return NULL;
}

static bool peer_is_ours(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && (peer.uid == 0 || peer.uid == getuid());
}

static int send_files(int fd, const struct wire *w)
{
	struct handover_message m = {.magic = SHEET_MAGIC, .version = SHEET_VERSION, .workers = w->workers, .wire_bytes = w->wire_bytes,
				     .brain_bytes = sizeof(struct brain_sheet)};
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), (int[]){w->wire_fd, w->brain_fd}, 2 * sizeof(int));
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == sizeof(m) ? 0 : -errno;
}

static void accept_brain(struct handover *h)
{
	int fd = accept4(h->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (h->brain >= 0 || !peer_is_ours(fd) || send_files(fd, h->wire) < 0)
		close(fd);
	else
		h->brain = fd;
}

void handover_step(struct handover *h)
{
	char byte;

	if (h->brain >= 0 && recv(h->brain, &byte, 1, MSG_DONTWAIT) == 0) {
		close(h->brain);
		h->brain = -1;
	}
	accept_brain(h);
}

bool handover_connected(const struct handover *h)
{
	return h->brain >= 0;
}

void handover_close(struct handover *h)
{
	if (!h)
		return;
	if (h->brain >= 0)
		close(h->brain);
	close(h->listener);
	free(h);
}
