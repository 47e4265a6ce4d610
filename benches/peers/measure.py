#!/usr/bin/env python3
"""Measures the peers and ours in turn on this machine, and writes the tables of docs/performance.md.

    python3 -m venv peers-python && peers-python/bin/pip install -r benches/peers/python/requirements.txt
    cargo build --release
    python3 benches/peers/measure.py --python peers-python/bin/python --stormglass target/release/stormglass

Every round runs all of them once, one after the other, so that a slow minute of the machine hits all; the least time of the
processor (user and system) of the rounds counts. Instructions are those of valgrind's callgrind, at two sizes: difference over difference, so that what is done
once is not counted. What is not there (a Python, valgrind, the program itself) is left out of the tables.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DOCUMENT = ROOT / "docs" / "performance.md"
# How much of each there is to do, as the workloads are stated, and at first under callgrind.
WORKLOADS = {
    "mm1": ("M/M/1", 1_000_000, 20_000),
    "phold": ("PHOLD", 10_000_000, 60_000),
    "ping_pong": ("ping-pong", 5_000_000, 60_000),
    "rpc": ("RPC + cancel", 5_000_000, 150_000),
    "four_stations": ("four stations", 1_000_000, 10_000),
}
# The slower ones do a part of it: time per event does not depend on that.
PEERS = {
    "ours": ("**ours**", 1),
    "desque": ("desque 0.4", 1),
    "simcore": ("SimCore 0.1", 1),
    "odem": ("odem-rs 0.4", 5),
    "nexosim": ("NeXosim 1.0, one model", 10),
    "tokio": ("tokio 1.54, paused clock", 10),
    "with_simpy": ("SimPy 4.1", 100),
    "with_happysim": ("happysim 0.2", 500),
    "with_asyncflow": ("AsyncFlow 0.1 (constant services)", 200),
}
# What each has, where it has not all.
HAS = {
    "odem": ["mm1", "phold", "ping_pong", "rpc"],
    "with_happysim": ["mm1", "four_stations"],
    "with_asyncflow": ["four_stations"],
}
# SimPy keeps every timeout that is not needed any more: a call of each caller is enough of that.
LEAST = {("with_simpy", "rpc"): 110_000}
# Virtual seconds of the scenario, a thousand requests in each.
SCENARIO = (100, 900)


def command(peer, binaries, python):
    if peer.startswith("with_"):
        return [python, str(HERE / "python" / f"{peer}.py")] if python else None
    return [str(binaries / peer)]


def run(words):
    """Runs it; what it printed, its time of a processor in seconds, and its peak memory in MB."""
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    printed = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        return None
    return printed.split(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def instructions(words, name, many):
    """Instructions per event, or none if there is no valgrind."""
    counts = []
    for times in (1, 2):
        traced = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *words, name, str(many * times)]
        done = subprocess.run(traced, capture_output=True, text=True, check=False)
        found = re.search(r"Collected : (\d+)", done.stderr)
        if not found:
            return None
        counts.append((int(found[1]), int(done.stdout.split()[1])))
    (less, few), (more, lots) = counts
    return (more - less) / (lots - few)


def scenario(program, rounds):
    """Nanoseconds per request of the four stations as a file, with statistics, thresholds and fingerprint."""
    least = []
    for seconds in SCENARIO:
        file = str(ROOT / "scenarios" / "theory" / "four-stations.toml")
        with tempfile.TemporaryDirectory() as out:
            words = [program, "sweep", file, "--jobs", "1", "--seeds", "0..1", "--set", f"run.duration={seconds}s", "--out", out]
            times = []
            for _ in range(rounds):
                begun = os.times()
                subprocess.run(words, capture_output=True, check=False)
                ended = os.times()
                times.append(ended.children_user - begun.children_user)
            least.append(min(times))
    return (least[1] - least[0]) * 1e9 / ((SCENARIO[1] - SCENARIO[0]) * 1000)


def number(value):
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}".replace(",", " ")


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def tables(least, memory, counted, checks, per_request):
    heads = ["", *(title for title, _, _ in WORKLOADS.values())]
    times, ratios = [], []
    for peer, (title, _) in PEERS.items():
        if not any((peer, name) in least for name in WORKLOADS):
            continue
        cells, against = [title], [title]
        for name in WORKLOADS:
            ns = least.get((peer, name))
            count = counted.get((peer, name))
            cells.append("" if ns is None else number(ns) + (f" [{count:.0f}]" if count else ""))
            ratio = "" if ns is None else f"{ns / least['ours', name]:.2f}"
            ours = counted.get(("ours", name))
            if ns is not None and count and ours:
                ratio += f" [{count / ours:.2f}]"
            against.append(ratio)
        times.append(cells)
        ratios.append(against)
    parts = ["Nanoseconds of one core per event [instructions per event]:", table(heads, times)]
    parts += ["How many times as long as ours [as many instructions]:", table(heads, ratios)]
    used = [[PEERS[peer][0], f"{memory[peer, 'rpc']:.0f}"] for peer in PEERS if (peer, "rpc") in memory]
    parts += ["Peak memory of RPC + cancel, MB (only the first three did all of it):", table(["", "MB"], used)]
    said = [[PEERS[peer][0], *(checks.get((peer, name), "") for name in WORKLOADS)] for peer in PEERS]
    said = [row for row in said if any(row[1:])]
    parts += ["Check values, clock at the end in ms / what was counted per event:", table(heads, said)]
    if per_request:
        rate = 1e9 / per_request
        parts += [
            f"The four stations as a scenario file, with percentiles, time series, Little's law, thresholds and the fingerprint: "
            f"{number(per_request)} ns a request, {rate / 1e6:.2f} million requests per second of one core."
        ]
    return "\n\n".join(parts)


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--python", help="a Python that has the packages of python/requirements.txt")
    words.add_argument("--stormglass", help="the program, for the four stations as a scenario file")
    words.add_argument("--share", type=float, default=1.0, help="do only this share of the work")
    words.add_argument("--no-instructions", action="store_true")
    words.add_argument("--print", action="store_true", help="do not write the document")
    asked = words.parse_args()

    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=HERE, check=True)
    said = subprocess.run(["cargo", "metadata", "--format-version=1", "--no-deps"], cwd=HERE, check=True, capture_output=True)
    binaries = Path(json.loads(said.stdout)["target_directory"]) / "release"

    least, memory, checks, counted = {}, {}, {}, {}
    for turn in range(asked.rounds):
        for name, (_, many, _) in WORKLOADS.items():
            for peer, (_, part) in PEERS.items():
                words = command(peer, binaries, asked.python)
                interpreted = peer.startswith("with_")
                if words is None or name not in HAS.get(peer, WORKLOADS) or (interpreted and turn > 1):
                    continue
                amount = max(int(many * asked.share) // part, LEAST.get((peer, name), 1_000))
                done = run([*words, name, str(amount)])
                if done is None:
                    print(f"{peer} does not do {name}", file=sys.stderr)
                    continue
                (_, events, seconds, check), processor, megabytes = done
                key = (peer, name)
                # An interpreter says itself how long its processor worked: it begins and imports for a while.
                seconds = seconds if interpreted else processor
                least[key] = min(least.get(key, 1e18), float(seconds) * 1e9 / int(events))
                memory[key] = max(memory.get(key, 0), megabytes)
                checks[key] = check if part == 1 else f"{check} (1/{part})"
        print(f"round {turn + 1} of {asked.rounds}", file=sys.stderr)
    if shutil.which("valgrind") and not asked.no_instructions:
        for peer, name in least:
            if not peer.startswith("with_"):
                count = instructions(command(peer, binaries, None), name, WORKLOADS[name][2])
                if count:
                    counted[peer, name] = count
    per_request = scenario(asked.stormglass, asked.rounds) if asked.stormglass else None
    written = tables(least, memory, counted, checks, per_request)
    print(written)
    if not asked.print:
        text = DOCUMENT.read_text()
        begin, end = "<!-- peers: begin -->", "<!-- peers: end -->"
        head, tail = text.split(begin)[0], text.split(end)[1]
        DOCUMENT.write_text(f"{head}{begin}\n{written}\n{end}{tail}")


main()
