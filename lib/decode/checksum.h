// SPDX-License-Identifier: GPL-2.0-or-later
// The arithmetic of RFC 1071, for whoever reads or builds a packet. Any thread.
#pragma once
#include "bytes.h"

// Sums, not yet folded. A sum may be continued only after an even number of bytes.
uint64_t checksum_add(uint64_t sum, struct bytes b);
// The field's value for this sum; 0 where a received sum including its field is right.
uint16_t checksum_fold(uint64_t sum);
// The sum of 16-bit words as they lie in memory: its fold is that of checksum_add with the bytes turned on a little-endian machine.
// For verifying, where only "is it 0" counts.
uint64_t checksum_add_unturned(uint64_t sum, struct bytes b);
