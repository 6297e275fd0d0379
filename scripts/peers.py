#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# One pass of the same capture through ours and through the packaged peers, by turns: one thread, no rules, with and without
# logging. Cost is user+system time of the whole process less what it needs for a capture of a few packets. A run whose
# transactions are not those of the generator is void. Prints lines of JSON as sekimori-bench does.
# usage: peers.py --bench FILE --cli FILE --mix CAPTURE --few CAPTURE --work FOLDER [--rounds N]
import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import sys

SURICATA = ["suricata", "--runmode", "single", "-S", "/dev/null", "-k", "all",
            # with the distribution's limits it goes blind at some 100,000 flows; these are as large as it can use
            "--set", "flow.memcap=2gb", "--set", "stream.memcap=2gb", "--set", "stream.reassembly.memcap=4gb",
            "--set", "app-layer.protocols.http.memcap=2gb", "--set", "mpm-algo=hs", "--set", "spm-algo=hs"]
NO_LOGS = ["--set", "outputs.1.eve-log.enabled=no", "--set", "outputs.0.fast.enabled=no"]


def run(command, log):
    """User plus system seconds of the process and all its threads, and what it printed."""
    with open(log, "w", encoding="utf-8") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    with open(log, encoding="utf-8", errors="replace") as f:
        text = f.read()
    if child.returncode:
        sys.exit(f"{' '.join(command)}: exit status {child.returncode}\n{text}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss, text


def events(path):
    """How many lines of which event a file of EVE lines holds."""
    counts = collections.Counter()
    with open(path, encoding="utf-8") as f:
        for line in f:
            found = re.search(r'"event_type": ?"([a-z]+)"', line)
            counts[found.group(1) if found else "?"] += 1
    return counts


def hellos(path):
    """Our TLS events are two a connection, joined by flow_id; only the client's half has a ja4."""
    with open(path, encoding="utf-8") as f:
        return sum('"event_type":"tls"' in line and '"ja4"' in line for line in f)


def ours(path):
    return {**http_tls_dns(events(path)), "tls": hellos(path)}


def http_tls_dns(counts):
    return {"http": counts["http"], "tls": counts["tls"], "dns": counts["dns"]}


def suricata_stats(path):
    """The last totals of stats.log, which costs nothing beside a pass: it is written every 8 s and at the end."""
    with open(path, encoding="utf-8") as f:
        value = dict(re.findall(r"^(\S+) +\| Total +\| (\d+)$", f.read(), re.M))
    tx = {name: int(value.get(key, 0)) for name, key in
          (("http", "app_layer.tx.http"), ("tls", "app_layer.flow.tls"), ("dns", "app_layer.tx.dns_udp"))}
    return tx


def ndpi_flows(path):
    """nDPI names flows, not transactions: of a DNS flow two are expected, and HTTP is left out."""
    with open(path, encoding="utf-8") as f:
        masters = collections.Counter(line.split(",")[10].split(".")[0] for line in f)
    return {"tls": masters["TLS"], "dns": 2 * masters["DNS"]}


class Runner:
    def __init__(self, options):
        self.options = options
        self.packets, self.expected = self.truth()

    def truth(self):
        """What the generator put there: our own honest pass has it, and `inspect --mix` compares it with the generator."""
        figures = json.loads(self.ours(self.options.mix)[2])["figures"]
        value = {name: int(f["median"]) for name, f in figures.items()}
        return value["packets"], {"http": value["http.request"], "tls": value["tls"], "dns": value["dns"]}

    def ours(self, capture, *more):
        return run([self.options.bench, "pass", "--json", "--pcap", capture, *more], self.path("ours.log"))

    def path(self, name):
        return os.path.join(self.options.work, name)

    def folder(self, name):
        path = self.path(name)
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path)
        return path

    def inspect_only(self, capture):
        seconds, memory, text = self.ours(capture)
        value = {name: int(f["median"]) for name, f in json.loads(text)["figures"].items()}
        return seconds, memory, {"http": value["http.request"], "tls": value["tls"], "dns": value["dns"]}

    def read_only(self, capture):
        seconds, memory, _ = self.ours(capture, "--only", "read")
        return seconds, memory, None

    def inspect_events(self, capture):
        eve = os.path.join(self.folder("ours"), "eve.json")
        seconds, memory, _ = self.ours(capture, "--eve", eve)
        return seconds, memory, ours(eve)

    def replay(self, capture):
        eve = os.path.join(self.folder("replay"), "eve.json")
        seconds, memory, _ = run([self.options.cli, "replay", "--quiet", "--mode", "learn", "--eve", eve, capture],
                                 self.path("replay.log"))
        return seconds, memory, ours(eve)

    def suricata(self, capture):
        folder = self.folder("suricata")
        seconds, memory, _ = run(SURICATA + ["-r", capture, "-l", folder], self.path("suricata.log"))
        return seconds, memory, http_tls_dns(events(os.path.join(folder, "eve.json")))

    def suricata_silent(self, capture):
        folder = self.folder("suricata")
        seconds, memory, _ = run(SURICATA + NO_LOGS + ["-r", capture, "-l", folder], self.path("suricata.log"))
        if os.path.exists(os.path.join(folder, "eve.json")):
            sys.exit("suricata: eve.json was written although it was switched off")
        return seconds, memory, suricata_stats(os.path.join(folder, "stats.log"))

    def ndpi(self, capture):
        seconds, memory, _ = run(["ndpiReader", "-q", "-i", capture], self.path("ndpi.log"))
        return seconds, memory, None  # prints nothing to count

    def ndpi_csv(self, capture):
        csv = self.path("ndpi.csv")
        seconds, memory, _ = run(["ndpiReader", "-q", "-i", capture, "-C", csv], self.path("ndpi.log"))
        return seconds, memory, ndpi_flows(csv)

    def measure(self, name, once):
        start, _, _ = once(self.options.few)
        whole, memory, census = once(self.options.mix)
        ns = (whole - start) * 1e9 / self.packets
        figures = {"ns": ("ns a packet", ns), "kpps": ("1000 packets a CPU second", 1e6 / ns if ns > 0 else 0),
                   "startup": ("CPU seconds", start), "rss": ("MB", memory / 1024)}
        for kind, count in (census or {}).items():
            figures[kind] = ("transactions", count)
        wrong = any(count != self.expected[kind] for kind, count in (census or {}).items())
        print(json.dumps({"command": name, "void": wrong,
                          "why": f"saw {census}, the capture holds {self.expected}" if wrong else "",
                          "figures": {k: {"unit": u, "rounds": [v]} for k, (u, v) in figures.items()}}), flush=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("bench", "cli", "mix", "few", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    runner = Runner(options)
    turns = [("pcap read", runner.read_only), ("pass", runner.inspect_only), ("pass eve", runner.inspect_events), ("replay eve", runner.replay)]
    if shutil.which("suricata"):
        turns += [("suricata", runner.suricata_silent), ("suricata eve", runner.suricata)]
    if shutil.which("ndpiReader"):
        turns += [("ndpiReader", runner.ndpi), ("ndpiReader csv", runner.ndpi_csv)]
    for _ in range(options.rounds):
        for name, once in turns:
            runner.measure(name, once)


main()
