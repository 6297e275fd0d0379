// SPDX-License-Identifier: GPL-2.0-or-later
// Between named.c (what a request has named, records) and named_find.c (literals in a text). Nothing else includes it.
#pragma once
#include "proto_impl.h"

enum {
	NAMED_RECORDS = 8,      // sent of one message before its end
	NAMED_HOST_BYTES = 128, // longest name; longer ones are counted short by everybody behind us
	NAMED_LAYERS = 2,       // of percent escapes that are undone
	NAMED_BASE64 = 4,       // runs of base64 opened in one field
	NAMED_BASE64_BYTES = 512,
};

void named_address(struct named *n, const struct named_from *from, const struct address *a);
void named_host(struct named *n, const struct named_from *from, struct bytes host); // in small letters
// The quick look. 0 where no literal stands in the field, in clear or escaped. Pure.
enum { NAMED_LOOKS_ODD = 1 /* a URL, a port, an escape */, NAMED_LOOKS_DOTTED = 2 /* four numbers between dots */ };
unsigned named_look(struct bytes field);
// Adds what stands in the field, of which that was said; counts it in from->hits. Work is linear in the field's length, of
// which WINDOW_BYTES are read.
void named_find(struct named *n, struct bytes field, unsigned looks, struct named_from *from);
