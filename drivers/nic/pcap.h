// SPDX-License-Identifier: GPL-2.0-or-later
// A capture file for a port: plain pcap by classic.h, its kin by libpcap, pcapng by pcapng.h; all times in nanoseconds. And a writer, for tests and
// exports. One thread per port or sink; no function keeps a pointer it was given.
#pragma once
#include "decode.h"

struct pcap_port;
struct pcap_sink;

// Opens a capture file ("-": standard input). NULL on failure: errno is set and the reason, naming the file, written
// to error. A link type that decode does not know is such a failure and is named.
struct pcap_port *pcap_port_open(const char *path, char *error, size_t error_bytes);
// Gives the next frame in *out: 1. Its bytes belong to the port and are valid until the next call. 0 at the end of
// the file. -EIO where the file is damaged or cut off: what came before was good, nothing comes after; pcap_port_note
// says what is wrong.
int pcap_port_next(struct pcap_port *p, struct frame *out);
// The same for as many frames as are at hand, at most `most`, all valid until the next call; 0 where pcap_port_next would not give one.
unsigned pcap_port_burst(struct pcap_port *p, struct frame *out, unsigned most);
// What is wrong with the file, "" if nothing. Belongs to the port.
const char *pcap_port_note(const struct pcap_port *p);
// How many frames were given so far.
uint64_t pcap_port_frames(const struct pcap_port *p);
// How many frames were passed over because their interface (of a pcapng file; others have one link type) is of a link type that decode does not know. If
// all are, pcap_port_open has refused the file.
uint64_t pcap_port_passed(const struct pcap_port *p);
// Closes and frees; NULL is fine.
void pcap_port_close(struct pcap_port *p);

// Creates or overwrites a pcap file of one link type (enum link_type) with nanosecond times. NULL on failure, as
// pcap_port_open.
struct pcap_sink *pcap_sink_open(const char *path, unsigned link, char *error, size_t error_bytes);
// Appends a frame. 0, -EINVAL when its link type is another, or -EIO; written through at the latest by
// pcap_sink_close.
int pcap_sink_write(struct pcap_sink *s, const struct frame *f);
// Flushes, closes and frees; NULL is fine. 0, or -EIO where something could not be written (disk full).
int pcap_sink_close(struct pcap_sink *s);
