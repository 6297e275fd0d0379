// SPDX-License-Identifier: GPL-2.0-or-later
// Between jndi.c (fields, hits, observations), jndi_filter.c (the quick look), jndi_decode.c (escapes) and
// jndi_substitute.c (look-ups). Nothing else but their test includes it. All work is done in place in one text: no escape and no look-up we resolve gives more bytes than it
// takes.
#pragma once
#include "proto_impl.h"

enum jndi_limits {
	JNDI_FIELD_BYTES = 8192, // read of one field
	JNDI_NEST = 16,          // open look-ups held at once; deeper ones are resolved in the next round
	JNDI_ROUNDS = 4,         // default for proto_sink.jndi_depth: the text as it stands, and 3 rounds of escapes
	JNDI_ROUNDS_MOST = 8,
	JNDI_HITS = WINDOW_FOUND,    // reported for one field
	JNDI_DECODED_BYTES = 512,    // kept of one look-up
	// Work for one field, of which a unit is about a nanosecond: so much a byte, and so much whatever its length, so
	// that a short one can be as tangled as it likes.
	JNDI_WORK_BYTE = 8,
	JNDI_WORK_FREE = 64 << 10,
	JNDI_ESCAPE_WORK = 6, // of one escape, beside its bytes
	JNDI_OPEN_WORK = 6,   // of one "${" or "}"
	JNDI_CLOSE_WORK = 16,
	JNDI_NOTE_WORK = 64,  // of one JNDI look-up seen
};

enum jndi_escapes {              // bits: what jndi_unescape undoes
	JNDI_PERCENT = 1 << 0,   // %24 %u0024, and UTF-8 longer than need be (C0 A4), escaped or not
	JNDI_ENTITY = 1 << 1,    // &#36; &#x24 &dollar;
	JNDI_BACKSLASH = 1 << 2, // \u0024 \x24 \44 \/ and a doubled backslash
};

struct jndi_text {
	size_t length;
	uint8_t at[JNDI_FIELD_BYTES];
	uint16_t origin[JNDI_FIELD_BYTES + 1]; // where in the field each byte came from; [length] = end of the field
};

enum { JNDI_RANK_CLEAR = 1 /* its scheme and host */, JNDI_RANK_CLOSED = 2, JNDI_RANK_BEST = 3 };

struct jndi_hit {
	uint16_t begin, end;         // in the field, from '$' to after '}'
	uint16_t length;             // of at[]
	uint16_t depth;              // nested look-ups resolved
	uint8_t rank;                // how much this sight of it says
	char at[JNDI_DECODED_BYTES]; // "jndi:ldap://host/path"
};

// What is left to spend. At 0 all stops: a text that needs more was made to hide something.
struct jndi_work {
	uint32_t left, given;
};

static inline bool jndi_work_spend(struct jndi_work *w, uint32_t units)
{
	w->left -= units < w->left ? units : w->left;
	return w->left != 0;
}

struct jndi_hits {
	unsigned count;
	bool opened; // a "${" was met
	bool unread; // a reading needs more rounds than there are, or a larger stack, or there are more look-ups than are kept
	struct jndi_work work;
	struct jndi_hit hit[JNDI_HITS];
};

// The quick look: false where no way of reading the field gives "${".
bool jndi_may_hold(struct bytes field);
// Index of the first "${", or b.left.
size_t jndi_find_opening(struct bytes b);
// The work a search of the field takes, for tests of its bound.
uint32_t jndi_work_of(struct bytes field, uint32_t *given);

// Undoes one layer of the escapes in `which` (bits of enum jndi_escapes). Returns whether anything changed; false as well
// when the work ran out.
bool jndi_unescape(struct jndi_text *t, unsigned which, struct jndi_work *work);
// Is it a digit of base64, of either alphabet?
bool jndi_is_base64(uint8_t c);
// Lower or upper case as java.lang.String does, for ASCII and for the letters that become ASCII by it. out may be
// in.at or lie before it. Returns the bytes written, never more than in.left.
size_t jndi_case(struct bytes in, bool upper, uint8_t *out);

// One round of log4j 2.14's StrSubstitutor over the text, look-ups of unknown value staying as they are. JNDI
// look-ups are noted in *hits, `round` (from 0) is added to their depth. Returns whether a further round could find
// more; where one is needed that could not, hits->unread is set. When the work runs out, what is left of the text is undefined.
bool jndi_substitute(struct jndi_text *t, struct jndi_hits *hits, unsigned round);
