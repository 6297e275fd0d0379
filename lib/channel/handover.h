// SPDX-License-Identifier: GPL-2.0-or-later
// The one message by which the wire hands its memory files to a brain: SOCK_SEQPACKET, two descriptors in SCM_RIGHTS (wire sheet, brain sheet).
#pragma once
#include "sheet.h"

struct handover_message {
	uint64_t magic;
	uint32_t version, workers;
	uint64_t wire_bytes, brain_bytes; // sizes of the two files
};
