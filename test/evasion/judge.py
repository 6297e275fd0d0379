# SPDX-License-Identifier: GPL-2.0-or-later
"""What the wire said about a try: fired, cut, flagged. Knows events and counters, no row."""
import collections
import json

# A frame that belongs to no flow cannot be flagged by its flow; it is by these names.
FLAGS = ("decode_bad", "decode_extensions", "decode_options", "decode_tunnel", "decode_transport", "decode_fragment", "flows_full", "inspection_shed", "tcp_park_full", "tcp_gap", "proto_context_full",
         "proto_bad", "proto_budget", "proto_inflate_limit", "proto_inflate_bad", "proto_http2_limit", "tcp_midstream")
# Fragments that were put together were inspected: their count alone says nothing then.
SEEN_THROUGH = {"decode_fragment": "defrag_whole"}


class Reports:
    def __init__(self, path):
        self.by_end = collections.defaultdict(list)
        with open(path) as lines:
            for line in lines:
                event = json.loads(line)
                for side in ("src", "dest"):
                    self.by_end[event.get(side + "_ip"), event.get(side + "_port")].append((event, line))

    def of(self, tuples, evidence, marker, counted):
        """fired: the evidence was seen. cut: its flow was. flagged: by what name it was said to be uninspected."""
        mine = [e for key in tuples for e in self.by_end[key]]
        signatures = {e["alert"].get("signature", "") + " " + line for e, line in mine if e.get("event_type") == "alert"}
        fired = any(f"evasion/{evidence}" in s for s in signatures)
        if evidence in ("tls", "dns"):  # their own events name what was asked for
            fired = any(e.get("event_type") == evidence and marker in line.lower() for e, line in mine)
        if evidence == "tls-any":
            fired = any(e.get("event_type") == "tls" for e, _ in mine)
        flags = sorted(k for k in FLAGS if counted.get(k) and not counted.get(SEEN_THROUGH.get(k)))
        flags += sorted({"flow: " + e["sekimori"].get("why", "?") for e, _ in mine if e.get("event_type") == "anomaly"})
        return {"fired": fired, "cut": any(e.get("event_type") == "drop" for e, _ in mine), "flagged": flags}
