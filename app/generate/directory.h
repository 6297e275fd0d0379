// SPDX-License-Identifier: GPL-2.0-or-later
// LDAP (RFC 4511) and Kerberos (RFC 4120) as directory services speak them.
#pragma once
#include "talk.h"

// Bind, one search that finds one person, unbind, on an open connection which is closed afterwards.
void ldap_session(struct talk *t, unsigned entry);
// What a Java naming lookup asks and gets when the server wants it to load a class from code_base.
void ldap_reference(struct talk *t, const char *base, const char *class_name, const char *code_base);
// AS and TGS exchanges over TCP, closed afterwards; or the AS exchange over UDP.
void kerberos_session(struct talk *t, const char *principal);
void kerberos_datagrams(struct stage *s, struct chance *c, const struct host *from, const struct host *kdc,
			const char *principal, uint64_t when_ns);
