// SPDX-License-Identifier: GPL-2.0-or-later
#include "talk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return talk_fuzz(&proto_ldap, bytes_of(data, size));
}
