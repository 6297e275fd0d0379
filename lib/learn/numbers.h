// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers kept of each device: bytes sent to a destination, different places visited in an hour, pace of its calls.
// Judge says which of them are unusual. All bounded (volume.h, hll.h, beacon.h). One thread.
#pragma once
#include "beacon.h"
#include "learn.h"
#include "volume.h"

enum fan { FAN_INSIDE, FAN_OUTSIDE, FANS };

// Adds what the device sent to a destination; sums by enum volume_window, in bytes.
void learn_bytes_out(struct learn *l, const struct device *d, struct bytes destination, uint64_t bytes, uint64_t now_ns,
		     uint64_t sum[VOLUME_WINDOWS]);
// One more place. True when the number of different ones in this hour has doubled since it was last told, and is above
// the most of an hour in the last weeks: *count and *usual then.
bool learn_fan_out(struct learn *l, const struct device *d, enum fan fan, struct bytes place, uint64_t now_ns,
		   uint32_t *count, uint32_t *usual);
// One more call to a destination. True at 8, 16, 32, 64 … calls, with what the test for a steady pace says.
bool learn_contact(struct learn *l, const struct device *d, struct bytes destination, uint64_t now_ns,
		   struct beacon_result *out);
