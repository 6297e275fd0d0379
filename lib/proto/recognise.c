// SPDX-License-Identifier: GPL-2.0-or-later
// Protocols whose name is all we want: recognised by their first bytes, on any port, never parsed further.
// Each entry is a small pattern table per direction; what is too short to tell is PROBE_MAYBE.
#include "proto_impl.h"

enum { TCP = 6, UDP = 17, ANY = 0x100 /* pattern: any byte */ };

// A text that must stand at the front. Returns MAYBE while the bytes are a part of it.
static enum probe begins(struct bytes data, const char *text)
{
	size_t n = strlen(text);

	if (!bytes_equal(bytes_head(data, n), bytes_head(bytes_of_text(text), data.left)))
		return PROBE_NO;
	return data.left < n ? PROBE_MAYBE : PROBE_YES;
}

static enum probe begins_with_any(struct bytes data, const char *const *texts)
{
	enum probe best = PROBE_NO;

	for (; *texts; texts++) {
		enum probe p = begins(data, *texts);

		if (p > best)
			best = p;
	}
	return best;
}

// The same for bytes with wildcards; `pattern` has `count` entries.
static enum probe matches(struct bytes data, const uint16_t *pattern, size_t count)
{
	for (size_t i = 0; i < count && i < data.left; i++)
		if (pattern[i] != ANY && pattern[i] != data.at[i])
			return PROBE_NO;
	return data.left < count ? PROBE_MAYBE : PROBE_YES;
}

#define MATCHES(data, ...)                                                                         \
	matches(data, (const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

static enum probe higher(enum probe a, enum probe b)
{
	return a > b ? a : b;
}

// RFC 4253 §4.2.
static enum probe probe_ssh(struct bytes data, bool from_client)
{
	return begins_with_any(data, (const char *const[]){"SSH-2.0-", "SSH-1.", NULL});
}

// Does one of the words stand anywhere in the data, in any case?
static bool holds_any(struct bytes data, const char *const *words)
{
	for (; *words; words++) {
		size_t n = strlen(*words);

		for (size_t i = 0; i + n <= data.left; i++)
			if (bytes_equal_nocase(bytes_head(bytes_from(data, i), n), *words))
				return true;
	}
	return false;
}

// SMTP and FTP servers both greet with "220": the rest of the greeting, or the second answer, tells them apart.
static enum probe probe_greeting(struct bytes data, const char *const *words)
{
	enum probe p = begins_with_any(data, (const char *const[]){"220 ", "220-", NULL});

	return p == PROBE_YES && !holds_any(data, words) ? PROBE_MAYBE : p;
}

static enum probe probe_smtp(struct bytes data, bool from_client)
{
	if (from_client)
		return begins_with_any(data, (const char *const[]){"EHLO ", "HELO ", "ehlo ", "helo ", "LHLO ", NULL});
	return probe_greeting(data, (const char *const[]){"SMTP", "\n250", NULL});
}

// "USER" and "PASS" would be POP3 as well: it is what comes next that tells.
static enum probe probe_ftp(struct bytes data, bool from_client)
{
	enum probe user = begins_with_any(data, (const char *const[]){"USER ", "user ", NULL});

	if (!from_client)
		return probe_greeting(data, (const char *const[]){"FTP", "FileZilla", "\n331", "\n230", NULL});
	if (user == PROBE_YES && holds_any(data, (const char *const[]){"\nSYST", "\nPWD", "\nTYPE ", "\nPASV", "\nEPSV", "\nPORT ",
								     "\nCWD ", "\nFEAT", NULL}))
		return PROBE_YES;
	if (user != PROBE_NO)
		return PROBE_MAYBE;
	return begins_with_any(data, (const char *const[]){"AUTH TLS\r\n", "AUTH SSL\r\n", "FEAT\r\n", NULL});
}

// MS-SMB2 §2.1: four bytes of length, then the protocol id; on port 139 a NetBIOS session request comes first (RFC 1002
// §4.3.2).
static enum probe probe_smb(struct bytes data, bool from_client)
{
	enum probe p = MATCHES(data, 0, ANY, ANY, ANY, 0xfe, 'S', 'M', 'B');

	p = higher(p, MATCHES(data, 0, ANY, ANY, ANY, 0xff, 'S', 'M', 'B'));
	return higher(p, MATCHES(data, 0x81, 0, 0, 0x44, 0x20));
}

// MS-RDPBCGR §2.2.1.1, §2.2.1.2: TPKT, then an X.224 connection request (0xe0) or confirm (0xd0) that ends there or goes on with a cookie or a
// negotiation. Industrial protocols (S7, MMS) begin so too, and go on with parameters.
static enum probe probe_rdp(struct bytes data, bool from_client)
{
	enum probe p = MATCHES(data, 3, 0, 0, ANY, ANY, from_client ? 0xe0 : 0xd0, 0, 0, ANY, ANY, ANY);
	struct bytes behind = bytes_from(data, 11);

	if (p != PROBE_YES || data.at[3] == 11)
		return p;
	if (!behind.left)
		return PROBE_MAYBE;
	if (from_client)
		return behind.at[0] == 1 ? PROBE_YES : begins(behind, "Cookie: ");
	return behind.at[0] == 2 || behind.at[0] == 3 ? PROBE_YES : PROBE_NO;
}

// RFC 4120 §5: an [APPLICATION n] tag, a sequence, and pvno 5 as its first field.
static enum probe probe_kerberos_message(struct bytes b)
{
	static const uint8_t tags[] = {0x6a, 0x6b, 0x6c, 0x6d, 0x7e};
	static const uint8_t pvno[] = {0x03, 0x02, 0x01, 0x05};
	size_t field;

	if (!b.left)
		return PROBE_MAYBE;
	if (!memchr(tags, b.at[0], sizeof(tags)))
		return PROBE_NO;
	// Tag and length twice (at most 5 bytes each), then [0] or [1] INTEGER 5.
	for (field = 4; field + 1 + sizeof(pvno) <= b.left && field <= 12; field++)
		if ((b.at[field] & 0xfe) == 0xa0 && memcmp(b.at + field + 1, pvno, sizeof(pvno)) == 0)
			return PROBE_YES;
	return field > 12 ? PROBE_NO : PROBE_MAYBE;
}

static enum probe probe_kerberos(struct bytes data, bool from_client)
{
	uint32_t size;

	if (data.left && data.at[0] != 0)
		return PROBE_NO; // 7.2.2: the length's high bit is reserved, and no message is 16 MiB long
	return bytes_read_u32(&data, &size) ? probe_kerberos_message(data) : PROBE_MAYBE;
}

// 7.2.1: a datagram is the message.
static enum probe probe_kerberos_udp(struct bytes data, bool from_client)
{
	return probe_kerberos_message(data) == PROBE_YES ? PROBE_YES : PROBE_NO;
}

// CORBA 3.0 §15.4.1: magic, then version 1.0 to 1.3.
static enum probe probe_iiop(struct bytes data, bool from_client)
{
	if (data.left > 5 && data.at[5] > 3)
		return PROBE_NO;
	return MATCHES(data, 'G', 'I', 'O', 'P', 1, ANY);
}

// RFC 5905 §7.3: leap, version 1..4, mode 3 (client) or 4 (server); 48 bytes, more with authentication. A datagram is
// whole: no MAYBE.
static enum probe probe_ntp(struct bytes data, bool from_client)
{
	uint8_t version, mode;

	if (data.left < 48)
		return PROBE_NO;
	version = data.at[0] >> 3 & 7;
	mode = data.at[0] & 7;
	return version >= 1 && version <= 4 && mode == (from_client ? 3 : 4) && data.at[1] <= 16 ? PROBE_YES : PROBE_NO;
}

// RFC 1939 §3, RFC 9051 §7.1.1: a greeting, or what no other client begins with.
static enum probe probe_pop3(struct bytes data, bool from_client)
{
	if (from_client)
		return begins_with_any(data, (const char *const[]){"CAPA\r\n", "STLS\r\n", "APOP ", NULL});
	return begins(data, "+OK ");
}

static enum probe probe_imap(struct bytes data, bool from_client)
{
	return from_client ? PROBE_NO : begins_with_any(data, (const char *const[]){"* OK ", "* OK[", "* PREAUTH ", NULL});
}

// RFC 6120 §4.2: a stream's head, perhaps behind an XML declaration; both sides begin so.
static enum probe probe_xmpp(struct bytes data, bool from_client)
{
	enum probe p = begins_with_any(data, (const char *const[]){"<stream:stream", "<?xml ", NULL});

	return p == PROBE_YES && !holds_any(data, (const char *const[]){"<stream:stream", NULL}) ? PROBE_MAYBE : p;
}

// A request for TLS or GSSAPI, or version 3.0 with its first parameter. The server's answers have no certain beginning.
static enum probe probe_postgresql(struct bytes data, bool from_client)
{
	enum probe p;

	if (!from_client)
		return PROBE_NO;
	p = higher(MATCHES(data, 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f), MATCHES(data, 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30));
	return higher(p, MATCHES(data, 0, 0, ANY, ANY, 0, 3, 0, 0, 'u', 's', 'e', 'r', 0));
}

// Protocol::HandshakeV10: length below 256, packet number 0, version 10, then the server's in digits.
static enum probe probe_mysql(struct bytes data, bool from_client)
{
	if (from_client || (data.left > 5 && (data.at[5] < '0' || data.at[5] > '9')) || (data.left && data.at[0] < 32))
		return PROBE_NO;
	return higher(MATCHES(data, ANY, 0, 0, 0, 10, ANY, '.'), MATCHES(data, ANY, 0, 0, 0, 10, ANY, ANY, '.'));
}

#define RECOGNISED(variable, text, id, over, probe_it, ...)                                                            \
	const struct proto_ops variable = {                                                                            \
		.name = text, .app = id, .transport = over, .ports = {__VA_ARGS__}, .probe = probe_it}

RECOGNISED(proto_ssh, "ssh", APP_SSH, TCP, probe_ssh, 22);
RECOGNISED(proto_smtp, "smtp", APP_SMTP, TCP, probe_smtp, 25, 587, 465);
RECOGNISED(proto_ftp, "ftp", APP_FTP, TCP, probe_ftp, 21, 990);
RECOGNISED(proto_smb, "smb", APP_SMB, TCP, probe_smb, 445, 139);
RECOGNISED(proto_rdp, "rdp", APP_RDP, TCP, probe_rdp, 3389);
RECOGNISED(proto_kerberos, "kerberos", APP_KERBEROS, TCP, probe_kerberos, 88, 464);
RECOGNISED(proto_kerberos_udp, "kerberos", APP_KERBEROS, UDP, probe_kerberos_udp, 88, 464);
RECOGNISED(proto_iiop, "iiop", APP_IIOP, TCP, probe_iiop, 535, 683, 1050, 3700);
RECOGNISED(proto_ntp, "ntp", APP_NTP, UDP, probe_ntp, 123);
RECOGNISED(proto_pop3, "pop3", APP_POP3, TCP, probe_pop3, 110, 995);
RECOGNISED(proto_imap, "imap", APP_IMAP, TCP, probe_imap, 143, 993);
RECOGNISED(proto_xmpp, "xmpp", APP_XMPP, TCP, probe_xmpp, 5222, 5269, 5223);
RECOGNISED(proto_postgresql, "postgresql", APP_POSTGRESQL, TCP, probe_postgresql, 5432);
RECOGNISED(proto_mysql, "mysql", APP_MYSQL, TCP, probe_mysql, 3306);
