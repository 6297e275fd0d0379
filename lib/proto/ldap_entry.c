// SPDX-License-Identifier: GPL-2.0-or-later
// Which attributes of a search entry make a Java client build an object (RFC 2713). Works on as much of the attribute
// list as is at hand; knows nothing of messages or flows.
#include "ldap_impl.h"

enum entry_limits {
	TYPE_BYTES = 128,   // of an attribute description are compared
	HEADER_BYTES = 130, // longest tag and length
	TAIL_BYTES = 256,   // kept of a list out of step, so that no attribute is cut between two looks
};

// RFC 2713 §3, and what com.sun.jndi.ldap.Obj turns into an object or a look-up.
static const struct java_attribute {
	const char *name;
	int8_t slot;
	bool is_fact;
} java_attributes[] = {
	{"javaCodeBase", TEXT_LDAP_CODEBASE, true},
	{"javaFactory", TEXT_LDAP_FACTORY, true},
	{"javaSerializedData", -1, true},
	{"javaReferenceAddress", -1, true},
	{"javaRemoteLocation", TEXT_LDAP_CODEBASE, true},
	{"javaClassName", TEXT_LDAP_CLASS, false},
};

static const struct java_attribute *java_attribute(struct bytes type)
{
	type = bytes_head(type, TYPE_BYTES);
	type = bytes_head(type, bytes_find(type, ';')); // attribute options, RFC 4512 §2.5
	for (size_t i = 0; i < sizeof(java_attributes) / sizeof(java_attributes[0]); i++)
		if (bytes_equal_nocase(type, java_attributes[i].name))
			return &java_attributes[i];
	return NULL;
}

// Type and values at the front of *b, into *o. Moves *b behind the set's header. false: not an attribute. A value may reach beyond its set: one that begins
// inside is taken.
static bool note(struct observation *o, struct bytes *b, uint32_t *length)
{
	const struct java_attribute *java;
	struct ldap_element value;
	struct bytes type, at;
	uint8_t tag;

	if (!ldap_expect(b, TAG_OCTETS, &type) || ldap_header(b, &tag, length) != PARSE_DONE || tag != TAG_SET)
		return false;
	java = java_attribute(type);
	at = *b;
	if (java && *length && ldap_take(&at, &value) && value.content.left) {
		if (java->is_fact)
			o->facts |= FACT_BIT(FACT_LDAP_JAVA_REFERENCE);
		if (java->slot >= 0 && !o->slot[java->slot].length)
			observation_put(o, (unsigned)java->slot, value.content);
	}
	return true;
}

// false: not an attribute, or one of its lengths says something else than the others, so that a client may go on elsewhere.
static bool note_attribute(struct observation *o, struct bytes b)
{
	struct bytes value;
	uint32_t length;

	if (!note(o, &b, &length) || b.left != length)
		return false;
	while (ldap_expect(&b, TAG_OCTETS, &value))
		;
	return b.left == 0;
}

// For entries whose lengths contradict each other: the JDK's decoder ignores most lengths, so attributes are looked for at every octet but the last `keep`,
// at which they are looked for when more has come. Linear.
static void note_anywhere(struct observation *o, struct bytes b, size_t keep)
{
	for (; b.left > keep && b.left > 1; bytes_skip(&b, 1)) {
		struct bytes at;
		uint32_t length;

		bytes_skip(&b, bytes_find(b, TAG_OCTETS));
		at = b;
		// At most four octets of length: what the JDK's decoder takes, and a bound on the work per octet.
		if (b.left > keep && b.left > 1 && b.at[1] < 0x85)
			note(o, &at, &length);
	}
}

void ldap_note_attributes(struct observation *o, struct bytes *b, bool last, bool *odd)
{
	size_t keep = last ? 0 : TAIL_BYTES;

	while (b->left && !*odd) {
		struct bytes at = *b;
		struct ldap_element e;

		if (!ldap_take(&at, &e)) {
			*odd = last || b->left > HEADER_BYTES;
			break;
		}
		if (e.content.left < e.length && !last)
			break;
		*odd = e.content.left < e.length || !note_attribute(o, e.content);
		if (!*odd)
			*b = at;
	}
	if (!*odd)
		return;
	note_anywhere(o, *b, keep);
	*b = bytes_from(*b, b->left > keep ? b->left - keep : 0);
}
