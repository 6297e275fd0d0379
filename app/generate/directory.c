// SPDX-License-Identifier: GPL-2.0-or-later
// See directory.h. Messages are whole and well-formed; tickets and checksums in them are noise.
#include "directory.h"

#include <stdio.h>

enum { BER_INTEGER = 2, BER_OCTETS = 4, BER_ENUM = 10, BER_SEQUENCE = 0x30, BER_SET = 0x31, BER_GENERAL_STRING = 27 };

struct ldap_attribute {
	const char *name, *value;
};

static void ldap_result(struct message *m, uint8_t id, uint8_t tag)
{
	size_t message = message_open_ber(m, BER_SEQUENCE);
	size_t result;

	message_ber_integer(m, BER_INTEGER, id);
	result = message_open_ber(m, tag);
	message_add(m, "\12\1\0\4\0\4\0", 7); // success, no names
	message_close_ber(m, result);
	message_close_ber(m, message);
}

static void ldap_bind(struct message *m, uint8_t id, const char *name, const char *password)
{
	size_t message = message_open_ber(m, BER_SEQUENCE);
	size_t bind;

	message_ber_integer(m, BER_INTEGER, id);
	bind = message_open_ber(m, 0x60);
	message_ber_integer(m, BER_INTEGER, 3);
	message_ber_text(m, BER_OCTETS, name);
	message_ber_text(m, 0x80, password);
	message_close_ber(m, bind);
	message_close_ber(m, message);
}

static void ldap_search(struct message *m, uint8_t id, const char *base, bool whole, const char *attribute,
			const char *value)
{
	size_t message = message_open_ber(m, BER_SEQUENCE);
	size_t search, filter;

	message_ber_integer(m, BER_INTEGER, id);
	search = message_open_ber(m, 0x63);
	message_ber_text(m, BER_OCTETS, base);
	message_ber_integer(m, BER_ENUM, whole ? 2 : 0);
	message_ber_integer(m, BER_ENUM, 3);
	message_ber_integer(m, BER_INTEGER, 0);
	message_ber_integer(m, BER_INTEGER, 0);
	message_add(m, "\1\1\0", 3);
	if (value) {
		filter = message_open_ber(m, 0xa3);
		message_ber_text(m, BER_OCTETS, attribute);
		message_ber_text(m, BER_OCTETS, value);
		message_close_ber(m, filter);
	} else {
		message_ber_text(m, 0x87, attribute);
	}
	message_add(m, "\x30\0", 2); // all attributes
	message_close_ber(m, search);
	message_close_ber(m, message);
}

static void ldap_entry(struct message *m, uint8_t id, const char *name, const struct ldap_attribute *a, size_t count)
{
	size_t message = message_open_ber(m, BER_SEQUENCE);
	size_t entry, list, one, set;

	message_ber_integer(m, BER_INTEGER, id);
	entry = message_open_ber(m, 0x64);
	message_ber_text(m, BER_OCTETS, name);
	list = message_open_ber(m, BER_SEQUENCE);
	for (size_t i = 0; i < count; i++) {
		one = message_open_ber(m, BER_SEQUENCE);
		message_ber_text(m, BER_OCTETS, a[i].name);
		set = message_open_ber(m, BER_SET);
		message_ber_text(m, BER_OCTETS, a[i].value);
		message_close_ber(m, set);
		message_close_ber(m, one);
	}
	message_close_ber(m, list);
	message_close_ber(m, entry);
	message_close_ber(m, message);
}

static void ldap_end(struct talk *t, uint8_t id)
{
	struct message *m = &t->stage->message;
	size_t message = message_open_ber(m, BER_SEQUENCE);

	message_ber_integer(m, BER_INTEGER, id);
	message_add(m, "\x42\0", 2); // unbind
	message_close_ber(m, message);
	talk_say(t, CLIENT, chance_between(t->chance, 200 * US, 30 * MS));
	talk_close(t, CLIENT, 50 * US);
}

void ldap_session(struct talk *t, unsigned entry)
{
	struct message *m = &t->stage->message;
	char name[64], uid[24], mail[48];
	const struct ldap_attribute attributes[] = {
		{"objectClass", "inetOrgPerson"},
		{"uid", uid},
		{"mail", mail},
		{"departmentNumber", "1"},
	};

	snprintf(uid, sizeof(uid), "user%03u", entry);
	snprintf(mail, sizeof(mail), "%s@corp.example", uid);
	snprintf(name, sizeof(name), "uid=%s,ou=people,dc=corp,dc=example", uid);
	ldap_bind(m, 1, "cn=reader,dc=corp,dc=example", "readonly");
	talk_say(t, CLIENT, 150 * US);
	ldap_result(m, 1, 0x61);
	talk_say(t, SERVER, 300 * US);
	ldap_search(m, 2, "ou=people,dc=corp,dc=example", true, "uid", uid);
	talk_say(t, CLIENT, 200 * US);
	ldap_entry(m, 2, name, attributes, sizeof(attributes) / sizeof(*attributes));
	ldap_result(m, 2, 0x65);
	talk_say(t, SERVER, 600 * US);
	ldap_end(t, 3);
}

void ldap_reference(struct talk *t, const char *base, const char *class_name, const char *code_base)
{
	struct message *m = &t->stage->message;
	const struct ldap_attribute attributes[] = {
		{"javaClassName", "foo"},
		{"javaCodeBase", code_base},
		{"objectClass", "javaNamingReference"},
		{"javaFactory", class_name},
	};

	ldap_bind(m, 1, "", "");
	talk_say(t, CLIENT, 5 * MS);
	ldap_result(m, 1, 0x61);
	talk_say(t, SERVER, 400 * US);
	ldap_search(m, 2, base, false, "objectClass", NULL);
	talk_say(t, CLIENT, 3 * MS);
	ldap_entry(m, 2, base, attributes, sizeof(attributes) / sizeof(*attributes));
	talk_say(t, SERVER, 700 * US);
	ldap_result(m, 2, 0x65);
	talk_say(t, SERVER, 60 * US);
	ldap_end(t, 3);
}

static size_t open_two(struct message *m, uint8_t outer, uint8_t inner, size_t *place)
{
	*place = message_open_ber(m, outer);
	return message_open_ber(m, inner);
}

static void close_two(struct message *m, size_t inner, size_t outer)
{
	message_close_ber(m, inner);
	message_close_ber(m, outer);
}

static void krb_integer(struct message *m, uint8_t tag, uint32_t v)
{
	size_t place = message_open_ber(m, tag);

	message_ber_integer(m, BER_INTEGER, v);
	message_close_ber(m, place);
}

static void krb_text(struct message *m, uint8_t tag, uint8_t type, const char *text)
{
	size_t place = message_open_ber(m, tag);

	message_ber_text(m, type, text);
	message_close_ber(m, place);
}

static void krb_name(struct message *m, uint8_t tag, uint32_t kind, const char *first, const char *second)
{
	size_t outer, parts, list, name = open_two(m, tag, BER_SEQUENCE, &outer);

	krb_integer(m, 0xa0, kind);
	list = open_two(m, 0xa1, BER_SEQUENCE, &parts);
	message_ber_text(m, BER_GENERAL_STRING, first);
	if (second)
		message_ber_text(m, BER_GENERAL_STRING, second);
	close_two(m, list, parts);
	close_two(m, name, outer);
}

static void krb_encrypted(struct message *m, struct chance *c, uint8_t tag, size_t bytes)
{
	size_t outer, cipher, sequence = open_two(m, tag, BER_SEQUENCE, &outer);
	uint8_t noise[400];

	chance_fill(c, noise, bytes);
	krb_integer(m, 0xa0, 18); // aes256-cts-hmac-sha1-96
	krb_integer(m, 0xa1, 2);
	cipher = message_open_ber(m, 0xa2);
	message_ber_bytes(m, BER_OCTETS, noise, bytes);
	message_close_ber(m, cipher);
	close_two(m, sequence, outer);
}

static void krb_ticket(struct message *m, struct chance *c, uint8_t tag, const char *service, const char *instance)
{
	size_t outer, application, sequence;

	outer = message_open_ber(m, tag);
	application = message_open_ber(m, 0x61);
	sequence = message_open_ber(m, BER_SEQUENCE);
	krb_integer(m, 0xa0, 5);
	krb_text(m, 0xa1, BER_GENERAL_STRING, "CORP.EXAMPLE");
	krb_name(m, 0xa2, 2, service, instance);
	krb_encrypted(m, c, 0xa3, 220);
	message_close_ber(m, sequence);
	close_two(m, application, outer);
}

static void krb_body(struct message *m, struct chance *c, const char *principal, const char *service,
		     const char *instance)
{
	size_t outer, list, types, body = open_two(m, 0xa4, BER_SEQUENCE, &outer);

	message_add(m, "\xa0\7\3\5\0\x40\x81\0\x10", 9); // forwardable, renewable, canonicalize, renewable-ok
	if (principal)
		krb_name(m, 0xa1, 1, principal, NULL);
	krb_text(m, 0xa2, BER_GENERAL_STRING, "CORP.EXAMPLE");
	krb_name(m, 0xa3, 2, service, instance);
	krb_text(m, 0xa5, 24, "20370913024805Z");
	krb_integer(m, 0xa7, (uint32_t)chance_next(c) >> 1);
	list = open_two(m, 0xa8, BER_SEQUENCE, &types);
	message_ber_integer(m, BER_INTEGER, 18);
	message_ber_integer(m, BER_INTEGER, 17);
	close_two(m, list, types);
	close_two(m, body, outer);
}

// The authenticator a TGS request carries: an AP-REQ around the ticket-granting ticket.
static void krb_padata_tgs(struct message *m, struct chance *c)
{
	size_t outer, value, application, sequence, list = open_two(m, 0xa3, BER_SEQUENCE, &outer);
	size_t one = message_open_ber(m, BER_SEQUENCE);
	size_t octets;

	krb_integer(m, 0xa1, 1);
	octets = open_two(m, 0xa2, BER_OCTETS, &value);
	sequence = open_two(m, 0x6e, BER_SEQUENCE, &application);
	krb_integer(m, 0xa0, 5);
	krb_integer(m, 0xa1, 14);
	message_add(m, "\xa2\7\3\5\0\0\0\0\0", 9);
	krb_ticket(m, c, 0xa3, "krbtgt", "CORP.EXAMPLE");
	krb_encrypted(m, c, 0xa4, 120);
	close_two(m, sequence, application);
	close_two(m, octets, value);
	message_close_ber(m, one);
	close_two(m, list, outer);
}

static void krb_request(struct message *m, struct chance *c, bool ticket_granting, const char *principal)
{
	size_t outer, sequence = open_two(m, ticket_granting ? 0x6c : 0x6a, BER_SEQUENCE, &outer);

	krb_integer(m, 0xa1, 5);
	krb_integer(m, 0xa2, ticket_granting ? 12 : 10);
	if (ticket_granting)
		krb_padata_tgs(m, c);
	krb_body(m, c, ticket_granting ? NULL : principal, ticket_granting ? "ldap" : "krbtgt",
		 ticket_granting ? "dc1.corp.example" : "CORP.EXAMPLE");
	close_two(m, sequence, outer);
}

static void krb_reply(struct message *m, struct chance *c, bool ticket_granting, const char *principal)
{
	size_t outer, sequence = open_two(m, ticket_granting ? 0x6d : 0x6b, BER_SEQUENCE, &outer);

	krb_integer(m, 0xa0, 5);
	krb_integer(m, 0xa1, ticket_granting ? 13 : 11);
	krb_text(m, 0xa3, BER_GENERAL_STRING, "CORP.EXAMPLE");
	krb_name(m, 0xa4, 1, principal, NULL);
	krb_ticket(m, c, 0xa5, ticket_granting ? "ldap" : "krbtgt",
		   ticket_granting ? "dc1.corp.example" : "CORP.EXAMPLE");
	krb_encrypted(m, c, 0xa6, 180);
	close_two(m, sequence, outer);
}

void kerberos_session(struct talk *t, const char *principal)
{
	struct message *m = &t->stage->message;

	for (int granting = 0; granting < 2; granting++) {
		size_t place = message_open(m, 4);

		krb_request(m, t->chance, granting, principal);
		message_close(m, place, 4);
		talk_say(t, CLIENT, 300 * US);
		place = message_open(m, 4);
		krb_reply(m, t->chance, granting, principal);
		message_close(m, place, 4);
		talk_say(t, SERVER, 500 * US);
	}
	talk_close(t, CLIENT, 100 * US);
}

void kerberos_datagrams(struct stage *s, struct chance *c, const struct host *from, const struct host *kdc,
			const char *principal, uint64_t when_ns)
{
	uint16_t port = stage_port(s, &from->address);

	stage_begin(s);
	krb_request(&s->message, c, false, principal);
	datagram(s, from, port, kdc, 88, &s->message, when_ns);
	message_clear(&s->message);
	krb_reply(&s->message, c, false, principal);
	datagram(s, kdc, 88, from, port, &s->message, when_ns + 900 * US);
	message_clear(&s->message);
}
