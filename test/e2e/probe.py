#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Connects to ADDRESS PORT every 12 ms for SECONDS and prints each change: UNIX seconds, then open or refused."""
import socket, sys, time

address, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
end, state = time.time() + seconds, None
while time.time() < end:
    s = socket.socket()
    s.settimeout(1)
    started = time.time()
    try:
        s.connect((address, port))
        now = "open"
    except OSError:
        now = "refused"
    s.close()
    if now != state:
        # A refusal took effect before the try began at the latest; an opening, when it ended.
        print(f"{started if now == 'refused' else time.time():.4f} {now}", flush=True)
        state = now
    time.sleep(0.012)  # below 100 a second: the wire answers no more blocked SYNs than that
