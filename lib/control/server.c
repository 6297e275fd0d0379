// SPDX-License-Identifier: GPL-2.0-or-later
// The serving side. One thread, poll(2), a fixed number of clients, a deadline for each: a slow or hostile client costs
// its own slot, nothing more. Asks no name service while serving: that could wait on a network which is ours to keep.
#include "control.h"
#include "control_impl.h"
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { GROUPS = 1024, NO_GROUP = -1, REST_TIMES = 4, REST_MOST_MS = 2000 /* well within a client's deadline */ };

struct client {
	int fd;                 // -1: free
	uint64_t deadline_ms;   // the whole request must be here by then; then, the whole reply gone
	struct control_peer peer;
	uint8_t in[LENGTH_BYTES + CONTROL_REQUEST_BYTES];
	size_t in_bytes;
	uint8_t *out;           // the reply being sent, or NULL
	size_t out_bytes, out_sent;
};

struct control_server {
	int listener;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	gid_t operators;        // group that may change; NO_GROUP: there is none
	control_answer_fn answer;
	void *user;
	unsigned first;         // whose turn it is
	uint64_t rest_until_ms; // nobody is asked before
	struct client client[CONTROL_CLIENTS];
};

// --- listening ---

// 0: the path is free. A socket that nobody listens on is left over from a crash; anything else is not ours to remove.
static int clear_path(const struct sockaddr_un *address)
{
	struct stat found;
	int fd, error;

	if (lstat(address->sun_path, &found) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(found.st_mode))
		return -EEXIST;
	// Not blocking: a stopped server with a full queue (EAGAIN) listens as well.
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	error = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
	close(fd);
	if (error != ECONNREFUSED && error != ENOENT)
		return error == EACCES ? -EACCES : -EADDRINUSE;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

// Nobody gets in before listen(), so the mode set in between holds from the first client on.
static bool give_to_operators(const char *path, gid_t operators)
{
	if (operators != (gid_t)NO_GROUP && chown(path, (uid_t)-1, operators) < 0 && errno != EPERM)
		return false;
	return chmod(path, 0660) == 0;
}

static int listen_on(const char *path, gid_t operators)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	error = clear_path(&address);
	if (error)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		error = -errno;
		goto not_bound;
	}
	if (give_to_operators(path, operators) && listen(fd, CONTROL_CLIENTS) == 0)
		return fd;
	error = -errno;
	unlink(path);
not_bound:
	close(fd);
	return error;
}

struct control_server *control_listen(const char *path, control_answer_fn answer, void *user)
{
	struct control_server *s = calloc(1, sizeof(*s));
	struct group *operators = getgrnam("sekimori");
	int error;

	if (!s)
		return NULL;
	s->operators = operators ? operators->gr_gid : (gid_t)NO_GROUP;
	s->answer = answer;
	s->user = user;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		s->client[i].fd = -1;
	s->listener = listen_on(path, s->operators);
	if (s->listener < 0) {
		error = -s->listener;
		free(s);
		errno = error;
		return NULL;
	}
	snprintf(s->path, sizeof(s->path), "%s", path);
	return s;
}

// --- who is it? ---

// The kernel's word on the groups it connected with.
static bool has_group(int fd, const struct ucred *cred, gid_t wanted)
{
	gid_t groups[GROUPS];
	socklen_t n = sizeof(groups);

	if (wanted == (gid_t)NO_GROUP)
		return false;
	if (cred->gid == wanted)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) < 0)
		return false;
	for (size_t i = 0; i < n / sizeof(groups[0]); i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

static void name_user(uid_t uid, char *name, size_t cap)
{
	FILE *users = fopen("/etc/passwd", "re");
	struct passwd *user = NULL;

	while (users && (user = fgetpwent(users)) && user->pw_uid != uid)
		;
	if (user)
		snprintf(name, cap, "%s", user->pw_name);
	else
		snprintf(name, cap, "uid %u", uid);
	if (users)
		fclose(users);
}

static bool identify(const struct control_server *s, int fd, struct control_peer *peer)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
		return false;
	*peer = (struct control_peer){.uid = cred.uid, .gid = cred.gid, .pid = cred.pid};
	name_user(cred.uid, peer->name, sizeof(peer->name));
	peer->may_change = cred.uid == 0 || cred.uid == geteuid() || has_group(fd, &cred, s->operators);
	return true;
}

// --- serving ---

static void drop(struct client *c)
{
	close(c->fd);
	free(c->out);
	c->fd = -1;
	c->out = NULL;
	c->in_bytes = c->out_bytes = c->out_sent = 0;
}

static void give_time(struct client *c)
{
	c->deadline_ms = now_ms() + CONTROL_DEADLINE_MS;
}

static struct client *free_slot(struct control_server *s)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (s->client[i].fd < 0)
			return &s->client[i];
	return NULL;
}

static void accept_clients(struct control_server *s)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct client *c = free_slot(s);

		if (fd < 0)
			return;
		if (!c || !identify(s, fd, &c->peer)) {
			close(fd);
			continue;
		}
		c->fd = fd;
		give_time(c);
	}
}

static void pack(struct client *c, const Control__Reply *reply)
{
	size_t n = control__reply__get_packed_size(reply);

	c->out = malloc(LENGTH_BYTES + n);
	if (!c->out)
		return;
	length_write(c->out, n);
	control__reply__pack(reply, c->out + LENGTH_BYTES);
	c->out_bytes = LENGTH_BYTES + n;
	c->out_sent = 0;
}

static void fill(struct control_server *s, const struct client *c, const Control__Request *q, Control__Reply *reply)
{
	if (!q)
		control_fail(reply, EPROTO, "the request could not be read");
	else if (control_verb_changes(q->verb) && !c->peer.may_change)
		control_fail(reply, EPERM, "%s may look but not change: root or group \"sekimori\" may", c->peer.name);
	else
		s->answer(s->user, &c->peer, q, reply);
}

static Control__Reply *new_reply(void)
{
	Control__Reply *reply = calloc(1, sizeof(*reply));

	if (reply)
		control__reply__init(reply);
	return reply;
}

static Control__Reply *shorten(Control__Reply *reply)
{
	if (!reply || control__reply__get_packed_size(reply) <= CONTROL_REPLY_BYTES)
		return reply;
	control__reply__free_unpacked(reply, NULL);
	reply = new_reply();
	if (reply)
		control_fail(reply, EMSGSIZE, "the answer is too long; ask for fewer");
	return reply;
}

static void answer(struct control_server *s, struct client *c, const uint8_t *data, size_t n)
{
	Control__Request *q = control__request__unpack(NULL, n, data);
	Control__Reply *reply = new_reply();

	if (reply)
		fill(s, c, q, reply);
	reply = shorten(reply);
	if (reply) {
		pack(c, reply);
		control__reply__free_unpacked(reply, NULL);
	}
	if (q)
		control__request__free_unpacked(q, NULL);
	if (!c->out)
		drop(c);
	else
		give_time(c);
}

// true: a request was answered. One request is in flight: a client that sends on without waiting is dropped.
static bool read_client(struct control_server *s, struct client *c)
{
	ssize_t got = recv(c->fd, c->in + c->in_bytes, sizeof(c->in) - c->in_bytes, 0);
	size_t want;

	if (got <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR))
			drop(c);
		return false;
	}
	c->in_bytes += (size_t)got;
	if (c->in_bytes < LENGTH_BYTES)
		return false;
	want = LENGTH_BYTES + length_read(c->in);
	if (want > sizeof(c->in) || c->in_bytes > want) {
		drop(c);
		return false;
	}
	if (c->in_bytes < want)
		return false;
	answer(s, c, c->in + LENGTH_BYTES, want - LENGTH_BYTES);
	c->in_bytes = 0;
	return true;
}

static void write_client(struct client *c)
{
	ssize_t sent = send(c->fd, c->out + c->out_sent, c->out_bytes - c->out_sent, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		drop(c);
		return;
	}
	c->out_sent += sent > 0 ? (size_t)sent : 0;
	if (c->out_sent < c->out_bytes)
		return;
	free(c->out);
	c->out = NULL;
	give_time(c);
}

// An answer that took long is followed by four times as long for the caller's own work: who asks for long lists again and
// again has a fifth of it, whatever the rest is needed for.
static void rest(struct control_server *s, uint64_t since_ms)
{
	uint64_t now = now_ms(), ms = (now - since_ms) * REST_TIMES;

	s->rest_until_ms = now + (ms < REST_MOST_MS ? ms : REST_MOST_MS);
}

static short events_of(const struct client *c, bool resting)
{
	return c->out ? POLLOUT : resting ? 0 : POLLIN;
}

// At most one request a call, in turn: sixteen clients with long questions must not keep the caller from its work.
void control_serve(struct control_server *s, int timeout_ms)
{
	const bool resting = now_ms() < s->rest_until_ms;
	struct pollfd p[CONTROL_CLIENTS + 1];
	bool answered = false;
	uint64_t now;

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		p[i] = (struct pollfd){.fd = s->client[i].fd, .events = events_of(&s->client[i], resting)};
	p[CONTROL_CLIENTS] = (struct pollfd){.fd = s->listener, .events = POLLIN};
	poll(p, CONTROL_CLIENTS + 1, timeout_ms); // on failure revents stay 0 and only deadlines are looked at
	now = now_ms();
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		unsigned at = (s->first + i) % CONTROL_CLIENTS;
		struct client *c = &s->client[at];

		if (c->fd < 0)
			continue;
		if (p[at].revents && c->out)
			write_client(c);
		else if (p[at].revents && !resting && !answered)
			answered = read_client(s, c);
		if (c->fd >= 0 && now > c->deadline_ms)
			drop(c);
	}
	s->first = (s->first + 1) % CONTROL_CLIENTS;
	if (answered)
		rest(s, now);
	if (p[CONTROL_CLIENTS].revents)
		accept_clients(s);
}

void control_close(struct control_server *s)
{
	if (!s)
		return;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (s->client[i].fd >= 0)
			drop(&s->client[i]);
	close(s->listener);
	unlink(s->path);
	free(s);
}
