// SPDX-License-Identifier: GPL-2.0-or-later
// Between jndi.c (fields, hits, observations), jndi_decode.c (escapes) and jndi_substitute.c (look-ups). Nothing else
// includes it. All work is done in place in one text: no escape and no look-up we resolve gives more bytes than it
// takes.
#pragma once
#include "bytes.h"

enum jndi_limits {
	JNDI_FIELD_BYTES = 8192, // read of one field
	JNDI_NEST = 16,          // open look-ups held at once; deeper ones are resolved in the next round
	JNDI_ROUNDS = 4,         // default for proto_sink.jndi_depth: the text as it stands, and 3 rounds of escapes
	JNDI_ROUNDS_MOST = 8,
	JNDI_HITS = 4,               // reported for one field
	JNDI_DECODED_BYTES = 512,    // kept of one look-up
	JNDI_WORK_BYTES = 128 << 10, // of values put in place for one field: 16 look-ups around all of the longest
				     // field (0.4 to 0.7 ms measured)
};

enum jndi_escapes {              // bits: what jndi_unescape undoes
	JNDI_PERCENT = 1 << 0,   // %24 %u0024
	JNDI_ENTITY = 1 << 1,    // &#36; &#x24 &dollar;
	JNDI_BACKSLASH = 1 << 2, // \u0024 \x24 \44 \/ and a doubled backslash
};

struct jndi_text {
	size_t length;
	uint8_t at[JNDI_FIELD_BYTES];
	uint16_t origin[JNDI_FIELD_BYTES + 1]; // where in the field each byte came from; [length] = end of the field
};

struct jndi_hit {
	uint16_t begin, end;         // in the field, from '$' to after '}'
	uint16_t length;             // of at[]
	uint16_t depth;              // nested look-ups resolved
	bool closed;                 // its '}' is there
	char at[JNDI_DECODED_BYTES]; // "jndi:ldap://host/path"
};

struct jndi_hits {
	unsigned count;
	uint32_t work_left; // of JNDI_WORK_BYTES. At 0 look-ups stay as they are; the first such is noted, with nothing
			    // decoded
	struct jndi_hit hit[JNDI_HITS];
};

// Undoes one layer of the escapes in `which` (bits of enum jndi_escapes). Returns whether anything changed.
bool jndi_unescape(struct jndi_text *t, unsigned which);
// Decodes base64 (both alphabets, padding optional) up to the first foreign byte; writes at most in.left * 3 / 4
// bytes. out may be in.at or lie before it. Returns the bytes written.
size_t jndi_base64(struct bytes in, uint8_t *out);
// Lower or upper case as java.lang.String does, for ASCII and for the letters that become ASCII by it. out may be
// in.at or lie before it. Returns the bytes written, never more than in.left.
size_t jndi_case(struct bytes in, bool upper, uint8_t *out);

// One round of log4j 2.14's StrSubstitutor over the text, look-ups of unknown value staying as they are. JNDI
// look-ups are noted in *hits, `round` (from 0) is added to their depth. Returns whether a further round could find
// more.
bool jndi_substitute(struct jndi_text *t, struct jndi_hits *hits, unsigned round);
