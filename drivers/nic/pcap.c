// SPDX-License-Identifier: GPL-2.0-or-later
// Capture files through libpcap. Knows nothing of packets; the link type is only translated.
#include "pcap.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONGEST_FRAME = 262144 /* what libpcap and Wireshark take as the largest */ };

struct pcap_port {
	pcap_t *file;
	uint64_t frames;
	uint8_t link;
	bool ended;
	char note[PCAP_ERRBUF_SIZE];
};

struct pcap_sink {
	pcap_t *form;
	pcap_dumper_t *file;
	uint8_t link;
	bool failed;
};

static const struct {
	int dlt;
	uint8_t link;
} links[] = {
	// the first of a link type is the one written
	{DLT_EN10MB, LINK_ETHERNET}, {DLT_RAW, LINK_RAW},          {DLT_IPV4, LINK_RAW},
	{DLT_IPV6, LINK_RAW},        {DLT_LINUX_SLL, LINK_COOKED}, {DLT_LINUX_SLL2, LINK_COOKED2},
	{DLT_NULL, LINK_NULL},       {DLT_LOOP, LINK_NULL},
};

static int link_of_dlt(int dlt)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].dlt == dlt)
			return links[i].link;
	return -1;
}

static int dlt_of_link(unsigned link)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].link == link)
			return links[i].dlt;
	return -1;
}

// libpcap names the file in some of its messages only.
static void explain(char *error, size_t error_bytes, const char *path, const char *reason)
{
	size_t n = strlen(path);

	if (strncmp(reason, path, n) == 0 && reason[n] == ':')
		snprintf(error, error_bytes, "%s", reason);
	else
		snprintf(error, error_bytes, "%s: %s", path, reason);
}

static void explain_link(char *error, size_t error_bytes, const char *path, int dlt)
{
	const char *name = pcap_datalink_val_to_name(dlt), *text = pcap_datalink_val_to_description(dlt);
	char reason[PCAP_ERRBUF_SIZE];

	snprintf(reason, sizeof(reason), "link type %d (%s%s%s) is not supported", dlt, name ? name : "unknown",
		 text ? ", " : "", text ? text : "");
	explain(error, error_bytes, path, reason);
}

struct pcap_port *pcap_port_open(const char *path, char *error, size_t error_bytes)
{
	struct pcap_port *p = calloc(1, sizeof(*p));
	int dlt, link;

	if (!p) {
		explain(error, error_bytes, path, strerror(ENOMEM));
		return NULL;
	}
	errno = 0;
	p->file = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, p->note);
	if (!p->file) {
		int cause = errno ? errno : EINVAL; // libpcap leaves it alone where the content is wrong

		explain(error, error_bytes, path, p->note);
		free(p);
		errno = cause;
		return NULL;
	}
	dlt = pcap_datalink(p->file);
	link = link_of_dlt(dlt);
	if (link < 0) {
		explain_link(error, error_bytes, path, dlt);
		pcap_port_close(p);
		errno = EPROTONOSUPPORT;
		return NULL;
	}
	p->link = (uint8_t)link;
	p->note[0] = '\0';
	return p;
}

int pcap_port_next(struct pcap_port *p, struct frame *out)
{
	struct pcap_pkthdr *head;
	const u_char *at;
	uint64_t seconds;
	int got;

	if (p->ended)
		return p->note[0] ? -EIO : 0;
	got = pcap_next_ex(p->file, &head, &at);
	if (got != 1) {
		p->ended = true;
		if (got == PCAP_ERROR_BREAK) // so libpcap calls the end of a file
			return 0;
		snprintf(p->note, sizeof(p->note), "after frame %llu: %s", (unsigned long long)p->frames,
			 pcap_geterr(p->file));
		return -EIO;
	}
	p->frames++;
	// The file's seconds are unsigned, libpcap 1.10 hands them on as signed 32 bits: they would turn negative in
	// 2038.
	seconds = head->ts.tv_sec < 0 ? (uint32_t)head->ts.tv_sec : (uint64_t)head->ts.tv_sec;
	*out = (struct frame){
		.at = at,
		.bytes = head->caplen,
		.wire_bytes = head->len > head->caplen ? head->len : head->caplen,
		.unix_ns = seconds * 1000000000u + (uint64_t)head->ts.tv_usec, // holds nanoseconds: asked for at open
		.link = p->link,
	};
	return 1;
}

const char *pcap_port_note(const struct pcap_port *p)
{
	return p->note;
}

uint64_t pcap_port_frames(const struct pcap_port *p)
{
	return p->frames;
}

void pcap_port_close(struct pcap_port *p)
{
	if (!p)
		return;
	pcap_close(p->file);
	free(p);
}

struct pcap_sink *pcap_sink_open(const char *path, unsigned link, char *error, size_t error_bytes)
{
	struct pcap_sink *s = calloc(1, sizeof(*s));
	int dlt = dlt_of_link(link), cause = EINVAL;

	if (!s || dlt < 0) {
		explain(error, error_bytes, path, s ? "no such link type" : strerror(ENOMEM));
		goto failed;
	}
	s->link = (uint8_t)link;
	s->form = pcap_open_dead_with_tstamp_precision(dlt, LONGEST_FRAME, PCAP_TSTAMP_PRECISION_NANO);
	if (!s->form) {
		explain(error, error_bytes, path, strerror(ENOMEM));
		goto failed;
	}
	errno = 0;
	s->file = pcap_dump_open(s->form, path);
	if (!s->file) {
		cause = errno ? errno : EIO;
		explain(error, error_bytes, path, pcap_geterr(s->form));
		goto failed;
	}
	return s;
failed:
	if (s && s->form)
		pcap_close(s->form);
	free(s);
	errno = cause;
	return NULL;
}

int pcap_sink_write(struct pcap_sink *s, const struct frame *f)
{
	struct pcap_pkthdr head = {.caplen = f->bytes, .len = f->wire_bytes > f->bytes ? f->wire_bytes : f->bytes};

	if (f->link != s->link || f->bytes > LONGEST_FRAME)
		return -EINVAL;
	head.ts.tv_sec = (time_t)(f->unix_ns / 1000000000u);
	head.ts.tv_usec = (suseconds_t)(f->unix_ns % 1000000000u); // nanoseconds, as the file's precision says
	pcap_dump((u_char *)s->file, &head, f->at);
	s->failed |= ferror(pcap_dump_file(s->file)) != 0;
	return s->failed ? -EIO : 0;
}

int pcap_sink_close(struct pcap_sink *s)
{
	bool failed;

	if (!s)
		return 0;
	failed = pcap_dump_flush(s->file) != 0 || s->failed;
	pcap_dump_close(s->file);
	pcap_close(s->form);
	free(s);
	return failed ? -EIO : 0;
}
