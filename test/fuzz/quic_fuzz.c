// SPDX-License-Identifier: GPL-2.0-or-later
// Datagrams of one flow. The first byte of each says: who sends (bit 0), and whether the bytes are sealed into an Initial first (bit 1), without which
// no fuzzer would get past the tag.
#include <stdlib.h>
#include "quic_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quic_fuzz *f = quic_fuzz_begin();
	struct bytes b = bytes_of(data, size), piece;
	uint16_t length;
	uint8_t how;

	while (bytes_read_u8(&b, &how) && bytes_read_u16(&b, &length)) {
		piece = bytes_head(b, length);
		bytes_skip(&b, piece.left);
		quic_fuzz_datagram(f, how, piece);
	}
	quic_fuzz_end(f);
	return 0;
}
