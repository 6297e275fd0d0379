// SPDX-License-Identifier: GPL-2.0-or-later
// Ethernet frames with every length and checksum right. Knows headers, not conversations.
#pragma once
#include "address.h"

enum frame_limits { FRAME_BYTES = 1600 };

enum frame_tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

// One end of a conversation as the tap sees it.
struct host {
	struct address address;
	bool inside;       // has a MAC address of its own; everything outside comes through the router's
	uint8_t ttl;       // as it passes the tap
	uint32_t delay_us; // one way between tap and host
	uint16_t vlan;     // its frames carry this tag (IEEE 802.1Q), 0 = none
	uint16_t mac;      // end of its MAC address, which stays when the IP address changes; 0 = follows from that
};

struct segment {
	const struct host *from, *to;
	uint16_t from_port, to_port;
	uint32_t sequence, acknowledgement;
	uint16_t window;
	uint8_t flags;
	const uint8_t *options; // whole words
	size_t options_length;
	const uint8_t *data;
	size_t length;
};

// All return the length of the frame written to out (FRAME_BYTES). `id` is the IPv4 identification.
size_t frame_tcp(uint8_t *out, const struct segment *s, uint16_t id);
size_t frame_udp(uint8_t *out, const struct segment *s, uint16_t id); // ports, data and length of *s are used
size_t frame_echo(uint8_t *out, const struct segment *s, bool reply,
		  uint16_t id); // ident = from_port, number = to_port
size_t frame_arp(uint8_t *out, const struct host *from, const struct host *to, bool reply);
