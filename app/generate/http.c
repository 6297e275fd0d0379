// SPDX-License-Identifier: GPL-2.0-or-later
// HTTP/1.1 as the usual programs speak it. {h} stands for the host, {u} for the user agent.
#include "web.h"

#include <stdio.h>

static const char *const CLIENT_HEADERS[] = {
	[HTTP_BROWSER] =
		"Host: {h}\r\nConnection: keep-alive\r\nUser-Agent: {u}\r\nAccept: text/html,application/xhtml+xml,"
		"application/xml;q=0.9,*/*;q=0.8\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: ja,en;q=0.9\r\n",
	[HTTP_CURL] = "Host: {h}\r\nUser-Agent: {u}\r\nAccept: */*\r\n",
	[HTTP_WGET] = "User-Agent: {u}\r\nAccept: */*\r\nAccept-Encoding: identity\r\nHost: {h}\r\nConnection: "
		      "Keep-Alive\r\n",
	[HTTP_JAVA] = "User-Agent: {u}\r\nHost: {h}\r\nAccept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2\r\n"
		      "Connection: keep-alive\r\n",
	[HTTP_APT] = "Host: {h}\r\nUser-Agent: {u}\r\n",
	[HTTP_GIT] = "Host: {h}\r\nUser-Agent: {u}\r\nAccept: */*\r\nAccept-Encoding: deflate, gzip\r\n"
		     "Pragma: no-cache\r\nGit-Protocol: version=2\r\n",
	[HTTP_PYTHON] = "Host: {h}\r\nUser-Agent: {u}\r\nAccept-Encoding: gzip, deflate\r\nAccept: */*\r\n"
			"Connection: keep-alive\r\n",
	[HTTP_PLAIN] = "Host: {h}\r\nUser-Agent: {u}\r\n",
	[HTTP_NAMELESS] = "Host: {h}\r\n",
};

static const char *const BODY_TYPES[] = {
	[BODY_NONE] = NULL,
	[BODY_HTML] = "text/html; charset=utf-8",
	[BODY_TEXT] = "text/plain",
	[BODY_CSS] = "text/css",
	[BODY_JSON] = "application/json",
	[BODY_PNG] = "image/png",
	[BODY_ZIP] = "application/zip",
	[BODY_PDF] = "application/pdf",
	[BODY_EXE] = "application/octet-stream",
	[BODY_DEB] = "application/vnd.debian.binary-package",
	[BODY_PACKAGES] = "text/plain",
	[BODY_GIT] = "application/x-git-upload-pack-advertisement",
	[BODY_JAR] = "application/java-archive",
	[BODY_SHELL] = "text/x-sh",
	[BODY_CLASS] = "application/java-vm",
	[BODY_ELF] = "application/octet-stream",
	[BODY_LIBRARY] = "application/octet-stream",
};

static const char *reason_of(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 301:
		return "Moved Permanently";
	case 304:
		return "Not Modified";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	default:
		return "Other";
	}
}

static void write_headers(struct message *m, const struct http_ask *ask)
{
	for (const char *p = CLIENT_HEADERS[ask->client]; *p; p++) {
		if (*p != '{') {
			message_u8(m, (uint8_t)*p);
			continue;
		}
		message_text(m, p[1] == 'h' ? ask->host : ask->agent);
		p += 2;
	}
}

// Seven digits are reserved for a length; it is put in their place and the rest moved up.
static size_t open_length(struct message *m)
{
	message_text(m, "Content-Length: ");
	message_text(m, "0000000");
	return m->length - 7;
}

static void close_length(struct message *m, size_t place, size_t body)
{
	char digits[24];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%zu", m->length - body);

	memcpy(m->at + place, digits, n);
	memmove(m->at + place + n, m->at + place + 7, m->length - place - 7);
	m->length -= 7 - n;
}

// As browsers write it.
static void write_form(struct message *m, struct chance *c, const struct http_upload *u)
{
	char boundary[48];
	size_t place, body;

	snprintf(boundary, sizeof(boundary), "----WebKitFormBoundary%08x%08x", chance_below(c, 1u << 31), chance_below(c, 1u << 31));
	message_format(m, "Content-Type: multipart/form-data; boundary=%s\r\n", boundary);
	place = open_length(m);
	message_text(m, "\r\n\r\n");
	body = m->length;
	message_format(m, "--%s\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nfile\r\n", boundary);
	message_format(m, "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\nContent-Type: %s\r\n\r\n",
		       boundary, u->name, BODY_TYPES[u->body]);
	body_write(m, c, u->body, u->bytes);
	message_format(m, "\r\n--%s--\r\n", boundary);
	close_length(m, place, body);
}

static void write_ask(struct message *m, struct chance *c, const struct http_ask *ask)
{
	message_format(m, "%s %s HTTP/1.1\r\n", ask->method, ask->uri);
	write_headers(m, ask);
	if (ask->extra)
		message_text(m, ask->extra);
	if (ask->upload) {
		write_form(m, c, ask->upload);
		return;
	}
	if (ask->body)
		message_format(m, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n",
			       strlen(ask->body));
	message_text(m, "\r\n");
	if (ask->body)
		message_text(m, ask->body);
}

static void write_chunks(struct message *m, struct chance *c, enum body body, uint32_t bytes)
{
	char size[16];
	int n = snprintf(size, sizeof(size), "%08x\r\n", bytes);
	size_t at = m->length;

	// The body may end up a little longer than asked for: its size is filled in afterwards.
	message_add(m, size, (size_t)n);
	body_write(m, c, body, bytes);
	snprintf(size, sizeof(size), "%08zx", m->length - at - (size_t)n);
	memcpy(m->at + at, size, 8);
	message_text(m, "\r\n0\r\n\r\n");
}

static void write_answer(struct message *m, struct chance *c, const struct http_answer *answer)
{
	size_t place, body;

	message_format(m, "HTTP/1.1 %u %s\r\n", answer->status, reason_of(answer->status));
	if (answer->server)
		message_format(m, "Server: %s\r\n", answer->server);
	if (answer->body != BODY_NONE)
		message_format(m, "Content-Type: %s\r\n", BODY_TYPES[answer->body]);
	if (answer->chunked && answer->body != BODY_NONE) {
		message_text(m, "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n");
		write_chunks(m, c, answer->body, answer->bytes);
		return;
	}
	if (answer->status == 304) {
		message_text(m, "Connection: keep-alive\r\n\r\n");
		return;
	}
	place = open_length(m);
	message_text(m, "\r\nConnection: keep-alive\r\n\r\n");
	body = m->length;
	body_write(m, c, answer->body, answer->bytes);
	close_length(m, place, body);
}

void http_exchange(struct talk *t, const struct http_ask *ask, const struct http_answer *answer, uint64_t think_ns)
{
	write_ask(&t->stage->message, t->chance, ask);
	talk_say(t, CLIENT, think_ns);
	write_answer(&t->stage->message, t->chance, answer);
	t->payload = answer->body >= BODY_SHELL;
	talk_say(t, SERVER, chance_between(t->chance, 300 * US, 12 * MS));
	t->payload = false;
}
