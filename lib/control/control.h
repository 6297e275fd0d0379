// SPDX-License-Identifier: GPL-2.0-or-later
// Framing, size caps and who may connect. Both processes serve one socket; the CLI calls. Server: non-blocking, bounded
// clients, one request in flight per client, 5 s deadline; never stops the caller. The kernel says who connected: uid
// 0, our own uid or a member of group "sekimori" may change; others (if the socket's mode lets them) may only look.
// Messages are the generated ones of control.pb-c.h.
#pragma once
#include "control.pb-c.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum control_limits {
	CONTROL_REQUEST_BYTES = 64 * 1024,
	CONTROL_REPLY_BYTES = 16 * 1024 * 1024,
	CONTROL_CLIENTS = 16,
	CONTROL_DEADLINE_MS = 5000,
};

struct control_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	bool may_change;
	char name[32]; // from /etc/passwd, or "uid 1000"
};

struct control_server;
// Fills *reply (already init'ed; allocate its members with malloc: they are freed as protobuf-c does).
typedef void (*control_answer_fn)(void *user, const struct control_peer *peer, const Control__Request *request,
				  Control__Reply *reply);

// Listens on path, made anew with mode 0660 and group "sekimori" if there is one. A socket that nobody listens on is
// replaced.
// NULL with errno: EADDRINUSE (a live server is there), EEXIST (no socket is there), ENAMETOOLONG, ...
struct control_server *control_listen(const char *path, control_answer_fn answer, void *user);
// Accepts, reads, answers at most one request; waits at most timeout_ms (0: not at all). After an answer that took long
// none is given for four times as long, at most 2 s. Call from one thread.
void control_serve(struct control_server *s, int timeout_ms);
void control_close(struct control_server *s);
// Is this verb a change? (needs may_change)
bool control_verb_changes(Control__Verb verb);

// One call: connects, asks, waits at most timeout_ms in all. NULL with errno (ECONNREFUSED, ENOENT: nobody there;
// ECONNRESET: hung up, as a full server does; ETIMEDOUT; EPROTO: what came was no reply; EMSGSIZE: request too long).
// The reply is the caller's: control__reply__free_unpacked(reply, NULL).
Control__Reply *control_call(const char *path, const Control__Request *request, int timeout_ms);

// Helpers for those who fill replies. On no memory the field stays as it was.
void control_set(char **field, const char *text); // replaces a string field by a copy
void control_fail(Control__Reply *reply, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
// Appends a zeroed message of `bytes` to a repeated field; the caller then calls its __init.
void *control_append(void ***list, size_t *n, size_t bytes);
