// SPDX-License-Identifier: GPL-2.0-or-later
// The first byte chooses the transport.
#include "talk_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = bytes_of(data, size);
	uint8_t tcp = 0;

	bytes_read_u8(&b, &tcp);
	return talk_fuzz(tcp & 1 ? &proto_dns_tcp : &proto_dns_udp, b);
}
