// SPDX-License-Identifier: GPL-2.0-or-later
// Events out as Suricata-compatible EVE JSON lines (alert, flow, http, dns, tls, ldap, drop, fileinfo), our own facts in one extra object "sekimori". community_id v1.
#pragma once
#include "incident.h"
#include "respond.h"

struct eve;
struct judge;
// path "-" = stdout; a pipe is written as far as it takes (ENXIO: nobody reads it), unless pcap_name says that the events are of a capture. sensor: "host" field. NULL with errno. Lines are written whole, many at a time: when 128 KiB wait, with every alert and block, when eve_flush
// asks, at eve_reopen and eve_close. A process that is killed loses what waits, so a live one asks at least every 100 ms. Lines a failed write loses are counted.
struct eve *eve_open(const char *path, const char *sensor, const char *pcap_name, struct counters *counters);
int eve_reopen(struct eve *e); // after log rotation
void eve_flush(struct eve *e);
void eve_close(struct eve *e);
void eve_observation(struct eve *e, const struct observation *o, const struct judge *requests);
void eve_alert(struct eve *e, const struct alert *a);
void eve_block(struct eve *e, const struct block *b, const char *what, uint64_t now_ns);
// community_id v1 (seed 0) of an observation's flow, "1:base64"; out holds 40 bytes. Spec vectors are in the test.
void eve_community_id(const struct observation *o, char out[40]);
