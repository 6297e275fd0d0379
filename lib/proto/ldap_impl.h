// SPDX-License-Identifier: GPL-2.0-or-later
// What the ldap*.c files share: the small part of BER that LDAP uses (RFC 4511 §5.1:
// definite lengths, one-octet tags).
#pragma once
#include "bytes.h"
#include "proto.h"

enum ldap_limits {
	LDAP_COLLECT_BYTES = 8192, // of a message split over segments; of longer ones, of the attribute in hand
	LDAP_NOISE_BYTES = 4096,   // that are no LDAP, since the last good message of this side; then PARSE_BAD
	LDAP_NOISE_MESSAGE = 64,   // a well-framed but malformed message counts as so many
	LDAP_FILTER_DEPTH = 16,    // nested and/or/not; deeper is cut
	LDAP_FILTER_BYTES = 512,   // of a search filter as text
};

enum ldap_tag { // RFC 4511 §4.2 ff.
	TAG_BOOLEAN = 0x01,
	TAG_INTEGER = 0x02,
	TAG_OCTETS = 0x04,
	TAG_ENUMERATED = 0x0a,
	TAG_SEQUENCE = 0x30,
	TAG_SET = 0x31,
	TAG_EXTENDED_NAME = 0x80,
	TAG_SASL = 0xa3,
	TAG_REFERRAL = 0xa3,
};

struct ldap_element {
	struct bytes content;  // what of it is at hand
	uint32_t length;       // what was declared
	uint8_t tag;
};

// Tag and length. PARSE_BAD: indefinite length, long tag, or more than 2 GiB. Moves *b on PARSE_DONE only.
enum parse ldap_header(struct bytes *b, uint8_t *tag, uint32_t *length);
// The next element, cut to what is there. false (and no move): no whole header.
bool ldap_take(struct bytes *b, struct ldap_element *out);
// The same, but it must be whole and carry this tag.
bool ldap_expect(struct bytes *b, uint8_t tag, struct bytes *content);
// INTEGER, ENUMERATED or BOOLEAN, at most 8 octets. One that says it has none has the next, as to the JDK's client.
bool ldap_unsigned(struct bytes *b, uint8_t tag, uint64_t *out);
// The filter at *b in the form of RFC 4515. Returns the length written, never more than cap; *cut if it did not fit.
size_t ldap_filter_format(struct bytes b, char *out, size_t cap, bool *cut);

// The attributes at the front of *b, moving it behind them. Stops before a cut one, unless `last`: nothing will follow. *odd: what lies there is not an
// attribute list whose lengths agree, from here to the entry's end. The JDK's decoder ignores most lengths and may read it in another step, so attributes are
// looked for at every octet.
void ldap_note_attributes(struct observation *o, struct bytes *b, bool last, bool *odd);
