// SPDX-License-Identifier: GPL-2.0-or-later
// Which worker a frame belongs to. Knows just enough of Ethernet to find the outer IP addresses; everything else goes by its MAC addresses.
#include "distribute.h"

enum { MAC_BYTES = 6, TAGS = 3, ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86dd };

static bool is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

// The two addresses of the frame, of equal length each.
static bool find_addresses(struct bytes frame, struct bytes address[2])
{
	struct bytes rest = frame;
	uint16_t type, tag;

	if (!bytes_skip(&rest, 2 * MAC_BYTES) || !bytes_read_u16(&rest, &type))
		return false;
	for (int i = 0; i < TAGS && is_tag(type); i++)
		if (!bytes_read_u16(&rest, &tag) || !bytes_read_u16(&rest, &type))
			return false;
	if (type == ETHER_IPV4)
		return bytes_skip(&rest, 12) && bytes_take(&rest, 4, &address[0]) && bytes_take(&rest, 4, &address[1]);
	if (type == ETHER_IPV6)
		return bytes_skip(&rest, 8) && bytes_take(&rest, 16, &address[0]) && bytes_take(&rest, 16, &address[1]);
	return false;
}

unsigned distribute_worker_of(const struct siphash_key *key, struct bytes frame, unsigned workers)
{
	uint8_t sorted[32] = {0};
	struct bytes a[2], rest = frame;
	int order;

	if (!find_addresses(frame, a) && (!bytes_take(&rest, MAC_BYTES, &a[0]) || !bytes_take(&rest, MAC_BYTES, &a[1])))
		return 0;
	order = memcmp(a[0].at, a[1].at, a[0].left);
	memcpy(sorted, a[order > 0].at, a[0].left);
	memcpy(sorted + 16, a[order <= 0].at, a[0].left);
	return (unsigned)((siphash13(key, sorted, sizeof(sorted)) >> 32) * workers >> 32);
}
