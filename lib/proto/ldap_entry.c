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

bool ldap_note_attribute(struct observation *o, struct bytes b)
{
	const struct java_attribute *java;
	struct ldap_element values, value;
	struct bytes type;

	if (!ldap_expect(&b, TAG_OCTETS, &type) || !ldap_take(&b, &values) || values.tag != TAG_SET)
		return false;
	java = java_attribute(type);
	if (java && ldap_take(&values.content, &value) && value.content.left) {
		if (java->is_fact)
			o->facts |= FACT_BIT(FACT_LDAP_JAVA_REFERENCE);
		if (java->slot >= 0 && !o->slot[java->slot].length)
			observation_put(o, (unsigned)java->slot, value.content);
	}
	return b.left == 0;
}

void ldap_note_anywhere(struct observation *o, struct bytes b)
{
	for (; b.left > 1; bytes_skip(&b, 1)) {
		bytes_skip(&b, bytes_find(b, TAG_OCTETS));
		// At most four octets of length: what the JDK's decoder takes, and a bound on the work per octet.
		if (b.left > 1 && b.at[1] < 0x85)
			ldap_note_attribute(o, b);
	}
}

void ldap_note_attributes(struct observation *o, struct bytes *b, bool last)
{
	struct bytes all = *b;
	bool odd = false;

	while (b->left && !odd) {
		struct bytes at = *b;
		struct ldap_element e;

		if (!ldap_take(&at, &e)) {
			odd = last || b->left > HEADER_BYTES;
			break;
		}
		if (e.content.left < e.length && !last)
			break;
		odd = !ldap_note_attribute(o, e.content) || e.content.left < e.length;
		*b = at;
	}
	if (!odd)
		return;
	ldap_note_anywhere(o, all);
	*b = all;
	if (all.left > TAIL_BYTES || last)
		*b = bytes_from(all, last ? all.left : all.left - TAIL_BYTES);
}
