#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Differences between our parsers and tshark that are explained: each class is a condition as narrow as its explanation. What meets none is for us
# to mend. The explanations stand in doc/measurements.md. Knows messages (compare_pdml.py) and what else was said of a flow.
import re

METHODS = {b"QUERY", b"REQ"}  # that tshark 4.0 does not know
DNS_PORTS = {53, 5353, 5355}


# Classes that begin so are limits of ours, not errors of tshark's or of a capture: without them the figure is lower.
LIMITS = ("no handshake", "readers may differ", "HTTP/2 whose client", "HTTP as the answer", "a status that is no number", "the capture's rest", "malformed",
          "DNS over TCP after a gap", "NetBIOS", "the hello's middle", "no JA4 of", "texts are cut")


def is_limit(name):
    return name.startswith(LIMITS)


def notes(capture, m):
    return capture.notes.get(frozenset((m.flow[1:3], m.flow[3:5])), [])


def why(capture, m):
    """Why we said that the flow is uninspected."""
    return {more["words"]["why"].decode() for kind, more in notes(capture, m) if kind == "uninspected"}


def apps(capture, m):
    return {more["app"] for kind, more in notes(capture, m) if kind == "protocol"}


def ports(m):
    return {m.flow[2], m.flow[4]}


def twin(capture, m):
    """The same message of tshark when it does not wait."""
    return any(t.kind == m.kind and t.flow == m.flow and t.fields == m.fields for t in capture.without)


def of_flow(side, m):
    """Messages of the same flow, either direction."""
    ends = frozenset((m.flow[1:3], m.flow[3:5]))
    return [o for o in side if frozenset((o.flow[1:3], o.flow[3:5])) == ends]


def first_of_kind(side, m):
    return next((o for o in of_flow(side, m) if o.kind == m.kind), None)


# --- Messages only tshark has ---

def only_tshark(capture, m):
    before = m.more.get("before", [])
    if capture.frames is not None and m.frame > capture.frames:
        return "the capture's rest, behind damage"
    if "icmp" in before or "icmpv6" in before:
        return "quoted in an ICMP error"
    return {"http": only_tshark_http, "dns": only_tshark_dns, "tls": only_tshark_tls}.get(m.protocol, lambda c, m: None)(capture, m)


def only_tshark_http(capture, m):
    if apps(capture, m) == {"tls"} and m.kind == "http.response":
        return "HTTP as the answer to a TLS hello"
    if "proto_http_ambiguous" in why(capture, m):
        return "readers may differ; said (proto_http_ambiguous)"
    if m.kind == "http.response" and not 100 <= m.fields.get("status", 0) <= 999:
        return "a status that is no number"
    if m.more.get("h2") and apps(capture, m) >= {"http2"} and m.kind == "http.response" and first_of_kind(capture.theirs, m) is m:
        return "HTTP/2 whose client does not say its settings, said"
    if m.kind == "http.response" and "tcp_midstream" in why(capture, m) and "http" in apps(capture, m) and not of_flow(capture.own, m):
        return "no handshake, and a head that the capture cuts: it waits, said"
    if m.kind == "http.request" and any(k == "flow.open" and "midstream" in n["flags"] and n["server"] == m.flow[1:3]
                                        for k, n in notes(capture, m)):
        return "no handshake: the ports say which end is the client, wrongly"
    return None


def only_tshark_dns(capture, m):
    if not ports(m) & DNS_PORTS:
        return "UDP to another port than 53, 5353 and 5355"
    if m.fields.get("name", b"").startswith(b"ckaaaaaaaaaaaaaaaa") and m.fields.get("type") == 33:
        return "NetBIOS name service on port 53"
    opcode, counts = m.more["flags"] >> 11 & 15, m.more["counts"]
    if opcode > 5 or opcode == 3 or counts[0] > 64 or max(counts[1:]) > 256:
        return "junk to port 53: no known operation, or hundreds of records"
    if any(o.key() == m.key() and o.more["words"].get("malformed") for o in of_flow(capture.own, m)):
        return "malformed, said"
    if m.flow[0] == "tcp" and "proto_bad" in why(capture, m):
        return "DNS over TCP after a gap, said"
    return None


def only_tshark_tls(capture, m):
    if apps(capture, m) == {"unknown"}:
        return "a stream that does not begin with TLS"
    return None


# --- Messages only we have ---

def only_own(capture, m):
    if m.protocol == "http":
        if twin(capture, m):
            return "tshark waits for a body or segment that does not come"
        if m.kind == "http.request" and not m.more["words"].get("version"):
            return "HTTP/0.9, or no version: not HTTP to tshark"
        if m.fields.get("method") in METHODS:
            return "a method tshark does not know"
        theirs = of_flow(capture.theirs, m)
        if m.kind == "http.response" and not any(t.flow == m.flow for t in theirs) and any(t.kind == "http.request" for t in theirs):
            return "an answer tshark does not take for HTTP: small letters, lines before it, a line without colon"
        if m.kind == "http.response" and not theirs and "tcp_midstream" in why(capture, m) and len(of_flow(capture.own, m)) == 1:
            return "tshark waits for a body or segment that does not come"
        if m.kind == "http.response" and m.fields.get("status") == 101 and any(t.more.get("h2") for t in theirs):
            return "HTTP/2 whose client does not say its settings, said"
    if m.kind == "ldap" and m.more["words"].get("injected"):
        return "LDAP in clear behind StartTLS, said"
    if m.kind == "tls" and m.more["app"] == "tls" and sum(o.fields == m.fields for o in of_flow(capture.own, m)) > 1 and any(t.fields == m.fields for t in of_flow(capture.theirs, m)):
        return "a segment seen on several VLANs: flows of their own to us, a repetition to tshark"
    if m.kind == "tls" and m.more["app"] == "quic" and any(t.fields == m.fields for t in of_flow(capture.theirs, m)):
        return "a QUIC hello said again (Retry, version negotiation)"
    if m.kind == "tls" and m.more["app"] == "quic" and not any(t.kind == "tls" for t in of_flow(capture.theirs, m)):
        return "QUIC after a version that nobody has: tshark opens the answer, but not the hello"
    if m.kind == "tls" and "truncated" in m.more["flags"] and "proto_bad" in why(capture, m) and not any(t.kind == "tls" for t in of_flow(capture.theirs, m)):
        return "the hello's middle is missing: tshark tells nothing of it, we its front, said"
    if m.kind == "tls.server" and any(t.kind == "tls" and t.frame == 1 for t in of_flow(capture.theirs, m)):
        return "the hello came in the SYN: tshark loses step"
    return None


def message(capture, m, mine):
    return only_own(capture, m) if mine else only_tshark(capture, m)


# --- Fields ---

def flat(text):
    """A filter with (&(&(a)(b))(c)), as tshark pairs what stands in one list, written (&(a)(b)(c))."""
    before = None
    while before != text:
        before = text
        text = re.sub(rb"\(([&|])((?:\((?:[^()&|!]|\([^()]*\))*\))*)\(\1((?:\([^()]*\)|\(!\([^()]*\)\))+)\)", rb"(\1\2\3", text)
    return text


def cut(own, a, b):
    """Ours is the front of tshark's, and we say that it was cut."""
    return "truncated" in own.more["flags"] and isinstance(b, bytes) and b.startswith(a or b"")


def field(capture, name, own, theirs):
    a, b = own.fields.get(name), theirs.fields.get(name)
    kind = {"http": http_field, "dns": dns_field, "tls": tls_field, "ldap": ldap_field}[own.protocol]
    found = kind(capture, name, own, theirs, a, b)
    return found or ("texts are cut at 400 bytes, said" if cut(own, a, b) else None)


def http_field(capture, name, own, theirs, a, b):
    if name == "host" and b is None and own.fields.get("method") == b"CONNECT":
        return "CONNECT: the host is taken from the target"
    if name == "uri" and (b == b"HTTP/1.1" if a is None else b is not None and a.startswith(b + b" ")):
        return "a request line of two words, or of four"
    if "proto_http_ambiguous" in why(capture, own):
        return "readers may differ; said (proto_http_ambiguous)"
    if name == "status" and own.fields.get("status") and len(str(b)) < 3:
        return "a status that is not three digits"
    return None


def dns_field(capture, name, own, theirs, a, b):
    if b and b.replace(b"\\032", b" ").startswith(b"<name too long>"):
        return "a name over 255 octets or in a circle: tshark tells none, we the front, said"
    if own.more["words"].get("malformed"):
        return "malformed, said"
    return None


def tls_field(capture, name, own, theirs, a, b):
    if name in ("subject", "names", "issuer") and a is None and own.kind == "tls.server" and own.fields.get("version") == 0x0304:
        return "the capture holds the session's keys, with which tshark goes on"
    if name in ("subject", "names", "issuer") and not any(theirs.fields.get(n) for n in ("subject", "names", "issuer")):
        return "a list of certificates that is not whole: tshark tells none, we the first"
    if name == "ja4" and a is None and "truncated" in own.more["flags"]:
        return "no JA4 of a hello whose lengths lie, said"
    return None


def ldap_field(capture, name, own, theirs, a, b):
    if name == "filter" and a and b and flat(b) == a:
        return "tshark pairs the parts of & and |"
    return None
