// SPDX-License-Identifier: GPL-2.0-or-later
// The calling side: one connection, one request, one reply, one deadline over all of it, so that neither a silent nor
// a dripping server keeps the caller.
#include "control.h"
#include "control_impl.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

struct call {
	int fd;
	uint64_t deadline_ms;
};

static int connect_to(const char *path, int timeout_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int ms = timeout_ms > 0 ? timeout_ms : 1; // a limit of 0 would mean none
	struct timeval limit = {ms / 1000, ms % 1000 * 1000};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	// Connecting waits while the server's queue is full; only this option limits that.
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (errno == EAGAIN)
		errno = ETIMEDOUT;
	close(fd);
	return -1;
}

static bool wait_for(const struct call *c, short events)
{
	struct pollfd p = {.fd = c->fd, .events = events};
	uint64_t now;
	int n;

	do {
		now = now_ms();
		n = poll(&p, 1, c->deadline_ms > now ? (int)(c->deadline_ms - now) : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0;
}

static bool try_again(void)
{
	return errno == EAGAIN || errno == EINTR;
}

// A server that hangs up shows itself in three ways, by chance; the caller hears of one.
static void name_hang_up(ssize_t n)
{
	if (n == 0 || errno == EPIPE)
		errno = ECONNRESET;
}

static bool send_all(const struct call *c, const uint8_t *data, size_t n)
{
	while (n) {
		ssize_t sent = wait_for(c, POLLOUT) ? send(c->fd, data, n, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;

		if (sent < 0 && try_again())
			continue;
		if (sent <= 0) {
			name_hang_up(sent);
			return false;
		}
		data += sent;
		n -= (size_t)sent;
	}
	return true;
}

static bool receive_all(const struct call *c, uint8_t *data, size_t n)
{
	while (n) {
		ssize_t got = wait_for(c, POLLIN) ? recv(c->fd, data, n, MSG_DONTWAIT) : -1;

		if (got < 0 && try_again())
			continue;
		if (got <= 0) {
			name_hang_up(got);
			return false;
		}
		data += got;
		n -= (size_t)got;
	}
	return true;
}

static bool send_request(const struct call *c, const Control__Request *request)
{
	size_t n = control__request__get_packed_size(request);
	uint8_t *data = n <= CONTROL_REQUEST_BYTES ? malloc(LENGTH_BYTES + n) : NULL;
	bool ok;

	if (!data) {
		errno = n <= CONTROL_REQUEST_BYTES ? ENOMEM : EMSGSIZE;
		return false;
	}
	length_write(data, n);
	control__request__pack(request, data + LENGTH_BYTES);
	ok = send_all(c, data, LENGTH_BYTES + n);
	free(data);
	return ok;
}

static Control__Reply *receive_reply(const struct call *c)
{
	Control__Reply *reply = NULL;
	uint8_t head[LENGTH_BYTES], *data;
	size_t n;

	if (!receive_all(c, head, sizeof(head)))
		return NULL;
	n = length_read(head);
	data = n <= CONTROL_REPLY_BYTES ? malloc(n + 1) : NULL;
	if (!data) {
		errno = n <= CONTROL_REPLY_BYTES ? ENOMEM : EPROTO;
		return NULL;
	}
	if (receive_all(c, data, n)) {
		reply = control__reply__unpack(NULL, n, data);
		if (!reply)
			errno = EPROTO;
	}
	free(data);
	return reply;
}

Control__Reply *control_call(const char *path, const Control__Request *request, int timeout_ms)
{
	struct call c = {.deadline_ms = now_ms() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0)};
	Control__Reply *reply = NULL;
	int saved;

	c.fd = connect_to(path, timeout_ms);
	if (c.fd < 0)
		return NULL;
	if (send_request(&c, request))
		reply = receive_reply(&c);
	saved = errno;
	close(c.fd);
	errno = saved;
	return reply;
}
