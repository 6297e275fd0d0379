// SPDX-License-Identifier: GPL-2.0-or-later
// The event file and what every line has in common. A line is written whole or not at all. One thread.
#include "eve_impl.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_path(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
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
	e->fd = e->is_stdout ? STDOUT_FILENO : e->path ? open_path(e->path) : -1;
	if (e->fd < 0) {
		int saved = e->path ? errno : EINVAL;

		eve_close(e);
		errno = saved;
		return NULL;
	}
	return e;
}

int eve_reopen(struct eve *e)
{
	int fd;

	if (e->is_stdout)
		return 0;
	fd = open_path(e->path);
	if (fd < 0)
		return -errno; // the old file goes on
	close(e->fd);
	e->fd = fd;
	return 0;
}

void eve_close(struct eve *e)
{
	if (!e)
		return;
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

// A full disk takes part of a line: the part is taken back, so that the next line does not grow out of it.
static void take_back(struct eve *e, size_t written)
{
	struct stat st;

	if (written && fstat(e->fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size >= written)
		if (ftruncate(e->fd, st.st_size - (off_t)written) != 0)
			eve_lost(e); // a torn line stays: say so once more
}

static void write_line(struct eve *e, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t w = write(e->fd, e->line + done, n - done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			take_back(e, done);
			eve_lost(e);
			return;
		}
		done += (size_t)w;
	}
}

bool eve_end(struct eve *e)
{
	json_close(&e->json);
	if (e->json.full || e->json.length >= sizeof(e->line))
		return false;
	e->line[e->json.length] = '\n';
	write_line(e, e->json.length + 1);
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
		json_text(j, key, address_format(a, text));
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

static void put_tuple(struct json *j, const struct eve_tuple *t)
{
	bool icmp = t->transport == TRANSPORT_ICMP || t->transport == TRANSPORT_ICMP6;
	char id[40];

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
	if (!address_is_set(&t->source) || t->source.family != t->destination.family)
		return;
	eve_tuple_id(t, id);
	json_text(j, "community_id", id);
}

struct json *eve_begin(struct eve *e, const char *event_type, uint64_t time_ns, uint64_t flow,
		       const struct eve_tuple *tuple, unsigned app)
{
	struct json *j = &e->json;
	char time[TEXT_TIME_BYTES];

	json_init(j, e->line, sizeof(e->line) - 1); // room for the end of line
	json_open(j, NULL);
	json_text(j, "timestamp", time_format(time_ns, time));
	if (flow)
		json_u64(j, "flow_id", flow & ((1ull << 53) - 1)); // larger ones lose digits in JavaScript
	json_text(j, "event_type", event_type);
	if (tuple)
		put_tuple(j, tuple);
	if (app_text(app))
		json_text(j, "app_proto", app_text(app));
	if (e->sensor)
		json_text(j, "host", e->sensor);
	if (tuple)
		json_text(j, "pkt_src", "wire/pcap");
	if (e->pcap_name)
		json_text(j, "pcap_filename", e->pcap_name);
	return j;
}
