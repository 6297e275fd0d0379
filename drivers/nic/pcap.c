// SPDX-License-Identifier: GPL-2.0-or-later
// Capture files: plain ones and pcapng by our own readers, all others through libpcap. Knows nothing of packets; the link type is only translated.
#include "pcap.h"
#include "classic.h"
#include "pcapng.h"
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONGEST_FRAME = 262144 /* what libpcap and Wireshark take as the largest */ };

struct pcap_port {
	pcap_t *file;         // one of these three
	struct pcapng *ng;
	struct classic *classic;
	FILE *stream;         // of ng
	struct frame first;   // of ng, and not yet given
	bool has_first;
	uint64_t frames;
	uint64_t passed;      // of a link type that nobody can read
	uint16_t passed_link; // of the first of them
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

// libpcap gives numbers of its own (DLT_*) to some of what stands in files (LINKTYPE_*).
static const struct {
	int dlt;
	uint16_t in_file;
	uint8_t link;
} links[] = {
	// the first of a link type is the one written
	{DLT_EN10MB, 1, LINK_ETHERNET}, {DLT_RAW, 101, LINK_RAW},          {DLT_IPV4, 228, LINK_RAW},
	{DLT_IPV6, 229, LINK_RAW},      {DLT_LINUX_SLL, 113, LINK_COOKED}, {DLT_LINUX_SLL2, 276, LINK_COOKED2},
	{DLT_NULL, 0, LINK_NULL},       {DLT_LOOP, 108, LINK_NULL},        {DLT_PPP, 9, LINK_PPP},
	{DLT_PPP_SERIAL, 50, LINK_PPP}, {DLT_PPI, 192, LINK_PPI},          {DLT_FDDI, 10, LINK_FDDI},
};

static int link_of_dlt(int dlt)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].dlt == dlt)
			return links[i].link;
	return -1;
}

static int link_in_file(uint16_t number)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (links[i].in_file == number)
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

// --- pcapng ---

// The next frame that somebody can read.
static int next_of_ng(struct pcap_port *p, struct frame *out)
{
	struct pcapng_frame f;
	int got, link = -1;

	while ((got = pcapng_next(p->ng, &f)) == 1 && (link = link_in_file(f.link)) < 0) {
		p->passed_link = p->passed++ ? p->passed_link : f.link;
	}
	if (got == 1)
		*out = (struct frame){.at = f.data.at, .bytes = (uint32_t)f.data.left, .unix_ns = f.unix_ns, .link = (uint8_t)link,
				      .wire_bytes = f.wire_bytes > f.data.left ? f.wire_bytes : (uint32_t)f.data.left};
	return got;
}

static int open_ng(struct pcap_port *p, const char *path, char *error, size_t error_bytes)
{
	int got;

	p->ng = pcapng_open(p->stream);
	if (!p->ng) {
		explain(error, error_bytes, path, strerror(ENOMEM));
		return ENOMEM;
	}
	got = next_of_ng(p, &p->first);
	p->has_first = got == 1;
	if (got != 1 && p->passed) {
		explain_link(error, error_bytes, path, p->passed_link);
		return EPROTONOSUPPORT;
	}
	if (got < 0 && !pcapng_begun(p->ng)) {
		explain(error, error_bytes, path, pcapng_note(p->ng));
		return EINVAL;
	}
	return 0;
}

// --- libpcap ---

static int open_by_libpcap(struct pcap_port *p, const char *path, char *error, size_t error_bytes)
{
	int dlt, link;

	errno = 0;
	p->file = pcap_fopen_offline_with_tstamp_precision(p->stream, PCAP_TSTAMP_PRECISION_NANO, p->note);
	if (!p->file) {
		int cause = errno ? errno : EINVAL; // libpcap leaves it alone where the content is wrong

		explain(error, error_bytes, path, p->note);
		return cause;
	}
	p->stream = NULL; // libpcap's from here on
	dlt = pcap_datalink(p->file);
	link = link_of_dlt(dlt);
	if (link < 0) {
		explain_link(error, error_bytes, path, dlt);
		return EPROTONOSUPPORT;
	}
	p->link = (uint8_t)link;
	p->note[0] = '\0';
	return 0;
}

static int next_by_libpcap(struct pcap_port *p, struct frame *out)
{
	struct pcap_pkthdr *head;
	const u_char *at;
	uint64_t seconds;
	int got = pcap_next_ex(p->file, &head, &at);

	if (got == PCAP_ERROR_BREAK) // so libpcap calls the end of a file
		return 0;
	if (got != 1)
		return -EIO;
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

// --- Port ---

static int open_either(struct pcap_port *p, const char *path, char *error, size_t error_bytes)
{
	int first;

	p->classic = classic_open(path);
	if (p->classic)
		return 0;
	errno = 0;
	p->stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	first = p->stream ? getc(p->stream) : EOF;
	if (first == EOF && errno) { // a folder is opened, but not read
		int cause = errno;

		explain(error, error_bytes, path, strerror(cause));
		return cause;
	}
	if (first == EOF) {
		explain(error, error_bytes, path, "an empty file");
		return EINVAL;
	}
	ungetc(first, p->stream);
	return first == PCAPNG_FIRST_BYTE ? open_ng(p, path, error, error_bytes) : open_by_libpcap(p, path, error, error_bytes);
}

struct pcap_port *pcap_port_open(const char *path, char *error, size_t error_bytes)
{
	struct pcap_port *p = calloc(1, sizeof(*p));
	int cause;

	if (!p) {
		explain(error, error_bytes, path, strerror(ENOMEM));
		return NULL;
	}
	cause = open_either(p, path, error, error_bytes);
	if (!cause)
		return p;
	pcap_port_close(p);
	errno = cause;
	return NULL;
}

int pcap_port_next(struct pcap_port *p, struct frame *out)
{
	int got;

	if (p->ended)
		return p->note[0] ? -EIO : 0;
	if (p->has_first) {
		*out = p->first;
		p->has_first = false;
		got = 1;
	} else {
		got = p->classic ? classic_next(p->classic, out) : p->ng ? next_of_ng(p, out) : next_by_libpcap(p, out);
	}
	p->frames += got == 1;
	p->ended = got != 1;
	if (got < 0)
		snprintf(p->note, sizeof(p->note), "after frame %llu: %s", (unsigned long long)p->frames,
			 p->classic ? classic_note(p->classic) : p->ng ? pcapng_note(p->ng) : pcap_geterr(p->file));
	return got;
}

unsigned pcap_port_burst(struct pcap_port *p, struct frame *out, unsigned most)
{
	unsigned n = 0;

	while (n < most && (!n || (p->classic && classic_has(p->classic))) && pcap_port_next(p, &out[n]) == 1)
		n++;
	return n;
}

uint64_t pcap_port_passed(const struct pcap_port *p)
{
	return p->passed;
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
	classic_close(p->classic);
	pcapng_close(p->ng);
	if (p->file)
		pcap_close(p->file);
	if (p->stream && p->stream != stdin)
		fclose(p->stream);
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
