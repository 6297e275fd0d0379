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

// SMTP and FTP servers both greet with "220": the rest of the greeting, or the second answer, tells them apart.
static enum probe probe_greeting(struct bytes data, const char *word, const char *second_answer)
{
	enum probe p = begins_with_any(data, (const char *const[]){"220 ", "220-", NULL});
	size_t n = strlen(word);

	if (p != PROBE_YES)
		return p;
	for (size_t i = 0; i + n <= data.left; i++)
		if (bytes_equal_nocase(bytes_head(bytes_from(data, i), n), word))
			return PROBE_YES;
	return bytes_find_text(data, second_answer) < data.left ? PROBE_YES : PROBE_MAYBE;
}

static enum probe probe_smtp(struct bytes data, bool from_client)
{
	if (from_client)
		return begins_with_any(data, (const char *const[]){"EHLO ", "HELO ", "ehlo ", "helo ", "LHLO ", NULL});
	return probe_greeting(data, "SMTP", "\n250");
}

static enum probe probe_ftp(struct bytes data, bool from_client)
{
	if (from_client) // "USER" would be POP3 as well
		return begins_with_any(data, (const char *const[]){"AUTH TLS\r\n", "AUTH SSL\r\n", "FEAT\r\n", NULL});
	return probe_greeting(data, "FTP", "\n331");
}

// MS-SMB2 §2.1: four bytes of length, then the protocol id; on port 139 a NetBIOS session request comes first (RFC 1002
// §4.3.2).
static enum probe probe_smb(struct bytes data, bool from_client)
{
	enum probe p = MATCHES(data, 0, ANY, ANY, ANY, 0xfe, 'S', 'M', 'B');

	p = higher(p, MATCHES(data, 0, ANY, ANY, ANY, 0xff, 'S', 'M', 'B'));
	return higher(p, MATCHES(data, 0x81, 0, 0, 0x44, 0x20));
}

// MS-RDPBCGR §2.2.1.1: TPKT, then an X.224 connection request (0xe0) or confirm (0xd0).
static enum probe probe_rdp(struct bytes data, bool from_client)
{
	return MATCHES(data, 3, 0, 0, ANY, ANY, from_client ? 0xe0 : 0xd0, 0, 0);
}

// RFC 4120 §5: an [APPLICATION n] tag, a sequence, and pvno 5 as its first field.
static enum probe probe_kerberos(struct bytes data, bool from_client)
{
	static const uint8_t tags[] = {0x6a, 0x6b, 0x6c, 0x6d, 0x7e};
	static const uint8_t pvno[] = {0x03, 0x02, 0x01, 0x05};
	struct bytes b = data;
	uint32_t size;
	size_t field;

	if (data.left && data.at[0] != 0)
		return PROBE_NO; // 7.2.2: the length's high bit is reserved, and no message is 16 MiB long
	if (!bytes_read_u32(&b, &size) || !b.left)
		return PROBE_MAYBE;
	if (!memchr(tags, b.at[0], sizeof(tags)))
		return PROBE_NO;
	// Tag and length twice (at most 5 bytes each), then [0] or [1] INTEGER 5.
	for (field = 4; field + 1 + sizeof(pvno) <= b.left && field <= 12; field++)
		if ((b.at[field] & 0xfe) == 0xa0 && memcmp(b.at + field + 1, pvno, sizeof(pvno)) == 0)
			return PROBE_YES;
	return field > 12 ? PROBE_NO : PROBE_MAYBE;
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

#define RECOGNISED(variable, text, id, over, probe_it, ...)                                                            \
	const struct proto_ops variable = {                                                                            \
		.name = text, .app = id, .transport = over, .ports = {__VA_ARGS__}, .probe = probe_it}

RECOGNISED(proto_ssh, "ssh", APP_SSH, TCP, probe_ssh, 22);
RECOGNISED(proto_smtp, "smtp", APP_SMTP, TCP, probe_smtp, 25, 587, 465);
RECOGNISED(proto_ftp, "ftp", APP_FTP, TCP, probe_ftp, 21, 990);
RECOGNISED(proto_smb, "smb", APP_SMB, TCP, probe_smb, 445, 139);
RECOGNISED(proto_rdp, "rdp", APP_RDP, TCP, probe_rdp, 3389);
RECOGNISED(proto_kerberos, "kerberos", APP_KERBEROS, TCP, probe_kerberos, 88, 464);
RECOGNISED(proto_iiop, "iiop", APP_IIOP, TCP, probe_iiop, 535, 683, 1050, 3700);
RECOGNISED(proto_ntp, "ntp", APP_NTP, UDP, probe_ntp, 123);
