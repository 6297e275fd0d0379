// SPDX-License-Identifier: GPL-2.0-or-later
// Curves of the estimators' power, too slow for a test: run by scripts/estimate-curves, quoted in
// doc/rooms/estimate.md. Seeds are fixed: two runs print the same bytes.
#include "estimate_worlds.h"

#include <stdio.h>

static void beacon_curves(double bits)
{
	static const uint32_t contacts[] = {8, 10, 15, 20, 30, 40, 60, 90, 129};
	static const double jitter[] = {0, 0.1, 0.2, 0.3, 0.4, 0.5};
	struct dice d = {1};

	printf("found at p <= 2^-%g, by contacts and jitter (10 %% of the calls missed in brackets)\n%9s", bits, "");
	for (unsigned j = 0; j < sizeof(jitter) / sizeof(*jitter); j++)
		printf("  %5.0f %%      ", 100 * jitter[j]);
	for (unsigned c = 0; c < sizeof(contacts) / sizeof(*contacts); c++) {
		printf("\n%9u", contacts[c]);
		for (unsigned j = 0; j < sizeof(jitter) / sizeof(*jitter); j++)
			printf("  %5.2f (%4.2f)", beacon_power(&d, contacts[c], jitter[j], 0, bits),
			       beacon_power(&d, contacts[c], jitter[j], 0.1, bits));
	}
	printf("\n\n");
}

int main(void)
{
	beacon_curves(10);
	beacon_curves(20);
	return 0;
}
