// SPDX-License-Identifier: GPL-2.0-or-later
// The event file and what every line has in common. Lines gather in a buffer; each is written whole or not at all. One
// thread.
#include "eve_impl.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// A pipe nobody reads is an error at once, and one whose reader is slow loses lines: neither may hold up who watches a wire. A capture can wait.
static int open_path(const char *path, bool can_wait)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | (can_wait ? 0 : O_NONBLOCK), 0640);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

// As a member of a line's object, so that no line has to escape it again. false: it would leave no room for an event.
static bool make_member(struct eve_members *m, const char *key, const char *value)
{
	struct json j;

	json_init(&j, m->text, sizeof(m->text));
	j.depth = 1;
	if (value)
		json_text(&j, key, value);
	m->length = j.length;
	return !j.full;
}

struct eve *eve_open(const char *path, const char *sensor, const char *pcap_name, struct counters *counters)
{
	struct eve *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->path = copy(path);
	e->sensor = copy(sensor);
	e->pcap_name = copy(pcap_name);
	e->counters = counters;
	e->is_stdout = path && strcmp(path, "-") == 0;
	e->fd = e->is_stdout ? STDOUT_FILENO : e->path ? open_path(e->path, pcap_name != NULL) : -1;
	if (e->fd < 0) {
		int saved = e->path ? errno : EINVAL;

		eve_close(e);
		errno = saved;
		return NULL;
	}
	if (!make_member(&e->host, "host", e->sensor) || !make_member(&e->capture, "pcap_filename", e->pcap_name)) {
		eve_close(e);
		errno = ENAMETOOLONG;
		return NULL;
	}
	return e;
}

int eve_reopen(struct eve *e)
{
	int fd;

	if (e->is_stdout)
		return 0;
	fd = open_path(e->path, e->pcap_name != NULL);
	if (fd < 0)
		return -errno; // the old file goes on
	eve_flush(e);
	close(e->fd);
	e->fd = fd;
	return 0;
}

void eve_close(struct eve *e)
{
	if (!e)
		return;
	eve_flush(e);
	if (!e->is_stdout && e->fd >= 0)
		close(e->fd);
	free(e->path);
	free(e->sensor);
	free(e->pcap_name);
	free(e);
}

void eve_lost(struct eve *e)
{
	if (e->counters)
		count(e->counters, COUNT_BRAIN_EVENTS_LOST);
}

// A full disk takes part of a line: the part is taken back, so that the next line does not grow out of it. What is in a pipe cannot be taken back: it is ended
// before the next.
static void take_back(struct eve *e, size_t torn)
{
	struct stat st;

	if (!torn)
		return;
	if (fstat(e->fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size >= torn &&
	    ftruncate(e->fd, st.st_size - (off_t)torn) == 0)
		return;
	e->torn = true;
}

static bool end_torn(struct eve *e)
{
	if (e->torn && write(e->fd, "\n", 1) == 1)
		e->torn = false;
	return !e->torn;
}

// The write ended after so many bytes: the line it ended in and those behind it are lost.
static void lose_rest(struct eve *e, size_t written)
{
	const char *before = written ? memrchr(e->buffer, '\n', written) : NULL;
	size_t whole = before ? (size_t)(before + 1 - e->buffer) : 0;

	take_back(e, written - whole);
	for (size_t i = whole; i < e->used; i++)
		if (e->buffer[i] == '\n')
			eve_lost(e);
}

void eve_flush(struct eve *e)
{
	size_t done = 0;

	if (e->used && !end_torn(e))
		lose_rest(e, 0);
	while (done < e->used && !e->torn) {
		ssize_t w = write(e->fd, e->buffer + done, e->used - done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			lose_rest(e, done);
			break;
		}
		done += (size_t)w;
	}
	e->used = 0;
}

bool eve_end(struct eve *e)
{
	json_close(&e->json);
	if (e->json.full)
		return false;
	e->used += e->json.length;
	e->buffer[e->used++] = '\n'; // eve_begin kept room for it
	return true;
}

void eve_finish(struct eve *e)
{
	if (!eve_end(e))
		eve_lost(e);
}

// --- common fields ---

void eve_text(struct json *j, const char *key, struct bytes value)
{
	if (value.left)
		json_string(j, key, value);
}

void eve_address(struct json *j, const char *key, const struct address *a)
{
	char text[ADDRESS_TEXT_BYTES];

	if (address_is_set(a))
		json_plain(j, key, text, address_text(a, text));
}

void eve_time(struct json *j, const char *key, uint64_t unix_ns)
{
	char text[TEXT_TIME_BYTES];

	json_plain(j, key, time_format(unix_ns, text), TEXT_TIME_LENGTH);
}

struct eve_tuple eve_tuple_of(const struct observation *o)
{
	return (struct eve_tuple){o->client, o->server, o->client_port, o->server_port, o->transport};
}

static const struct {
	uint8_t number;
	const char *name;
} transports[] = {
	{TRANSPORT_TCP, "TCP"},
	{TRANSPORT_UDP, "UDP"},
	{TRANSPORT_ICMP, "ICMP"},
	{TRANSPORT_ICMP6, "IPv6-ICMP"},
};

static void put_transport(struct json *j, uint8_t transport)
{
	for (size_t n = 0; n < sizeof(transports) / sizeof(transports[0]); n++)
		if (transports[n].number == transport)
			json_text(j, "proto", transports[n].name);
}

// Suricata's names where they differ from ours; NULL: the field is left out.
static const char *app_text(unsigned app)
{
	if (app == APP_NONE || app >= APP_COUNT)
		return NULL;
	return app == APP_UNKNOWN ? "failed" : app == APP_KERBEROS ? "krb5" : app_name(app);
}

static void put_tuple(struct json *j, const struct eve_tuple *t, const char *id)
{
	bool icmp = t->transport == TRANSPORT_ICMP || t->transport == TRANSPORT_ICMP6;

	eve_address(j, "src_ip", &t->source);
	if (!icmp)
		json_u64(j, "src_port", t->source_port);
	eve_address(j, "dest_ip", &t->destination);
	if (!icmp)
		json_u64(j, "dest_port", t->destination_port);
	put_transport(j, t->transport);
	if (icmp) {
		json_u64(j, "icmp_type", (uint64_t)t->source_port >> 8);
		json_u64(j, "icmp_code", t->source_port & 0xff);
	}
	if (id)
		json_plain(j, "community_id", id, EVE_ID_LENGTH);
}

struct json *eve_begin(struct eve *e, const char *event_type, uint64_t time_ns, uint64_t flow,
		       const struct eve_tuple *tuple, const char *id, unsigned app)
{
	struct json *j = &e->json;

	if (sizeof(e->buffer) - e->used < EVE_LINE_BYTES)
		eve_flush(e);
	json_init(j, e->buffer + e->used, EVE_LINE_BYTES - 1); // room for the end of line
	json_open(j, NULL);
	eve_time(j, "timestamp", time_ns);
	if (flow)
		json_u64(j, "flow_id", flow & ((1ull << 53) - 1)); // larger ones lose digits in JavaScript
	json_text(j, "event_type", event_type);
	if (tuple)
		put_tuple(j, tuple, id);
	if (app_text(app))
		json_text(j, "app_proto", app_text(app));
	json_members(j, e->host.text, e->host.length);
	if (tuple)
		json_text(j, "pkt_src", "wire/pcap");
	json_members(j, e->capture.text, e->capture.length);
	return j;
}
