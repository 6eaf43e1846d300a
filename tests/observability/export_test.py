#!/usr/bin/env python3
"""Runs in virtual time on the dashboards: the way of docs/observability.md, with the real tools.

  export_test.py PROGRAM [--source DIR] [--keep]

Runs scenarios with --out, which together have a series of every metric; exports each with `sluice export
openmetrics`; makes blocks of that with `promtool tsdb create-blocks-from openmetrics`; starts Prometheus
on the blocks; and then checks

  * every query of every panel and every variable of the dashboards: it must have a number for at least
    one run, and the labels that its legend names;
  * that the last figures of each run are those of its summary, and the first of its graphs are there;
  * that a rate per second of virtual time is what the samples say, at any interval.

Nothing is asked of what Prometheus adds to a scrape: there was none. Without prometheus or promtool it
says SKIPPED. Standard library only.
"""
import json
import os
import re
import subprocess
import sys
import time

import prometheus_test as live

# One run twice: at another interval, and from another time on.
OTHER = ("pfc-incast", "another-interval", 5)
# What Prometheus notes of a scrape by itself.
OF_SCRAPES = re.compile(r"scrape_\w+\{")


def run(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=live.PATIENCE,
                          check=False)
    # 1: an expectation fails, as some are there to show.
    if done.returncode not in (0, 1):
        live.give_up(f"sluice {' '.join(arguments)} ends with {done.returncode}:\n{done.stderr}")
    return done.stderr


def without_scrapes(boards):
    left = 0
    for board in boards.values():
        for panel in board["panels"]:
            queries = panel.get("targets", [])
            kept = [q for q in queries if not OF_SCRAPES.match(q["expr"])]
            left += len(queries) - len(kept)
            if queries:
                panel["targets"] = kept
    return left


def value(server, expr, at):
    found = server.api("query", query=expr, time=at)["result"]
    return float(found[0]["value"][1]) if found else None


def samples_of(folder, family, **labels):
    """[values] of a series in metrics.jsonl."""
    inside = False
    with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as file:
        head = json.loads(file.readline())
        for line in file:
            o = json.loads(line)
            if "family" in o:
                inside = o["family"] == family
            elif inside and o.get("labels") == labels:
                size = len(head["seconds"])
                given = [0] * o.get("first", 0) + o.get("values", [0])
                return given + [given[-1]] * (size - len(given))
    return live.give_up(f"{folder}/metrics.jsonl has no {family} {labels}")


def check_totals(server, folder, name, first, end):
    with open(os.path.join(folder, "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    select = f'{{instance="{name}"}}'
    for metric, expected in (
            ("sum(sluice_made_packets_total{})", summary["packets"]["made"]),
            ("sum(sluice_delivered_packets_total{})", summary["packets"]["delivered"]),
            ("sum(sluice_held_packets{})", summary["packets"]["held"]),
            ("sum(sluice_latency_seconds_count{})", summary["packets"]["delivered"]),
            ('sum(sluice_drops_packets_total{}) or vector(0)', summary["packets"]["dropped"]),
            ("sluice_virtual_time_seconds{}", summary["virtual_seconds"]),
            ("sluice_run_over{}", 1),
            (f'count(sluice_run_info{{}} and sluice_run_info{{fingerprint="{summary["fingerprint"]}"}})',
             1), ("count(sluice_run_info{})", 1)):
        got = value(server, metric.replace("{}", select), end)
        if got is None or abs(got - expected) > 1e-9 * abs(expected):
            live.fail(f"{name}: {metric} ends with {got}, the summary has {expected}")
    if value(server, f"sluice_virtual_time_seconds{select}", first) != 0:
        live.fail(f"{name} does not begin with virtual time 0")


def check_rate(server, folder, name, first, interval):
    """The quotient of two rates against the samples themselves, in the middle of the run."""
    bytes_, seconds = (samples_of(folder, "sluice_delivered_bytes_total", flow="write"),
                       samples_of(folder, "sluice_virtual_time_seconds"))
    at, window = len(seconds) // 2, 4
    expected = (bytes_[at] - bytes_[at - window]) / (seconds[at] - seconds[at - window])
    # A window of Prometheus holds both of its ends.
    select, span = f'{{instance="{name}"', f"[{window * interval}s]"
    got = value(server, f'rate(sluice_delivered_bytes_total{select},flow="write"}}{span}) / on (instance) '
                f"rate(sluice_virtual_time_seconds{select}}}{span})", first + at * interval)
    if got is None or expected == 0 or abs(got - expected) > 1e-6 * expected:
        live.fail(f"{name}: {got} B/s of virtual time are delivered, the samples say {expected}")


def run_test(program, source, folder, processes):
    began = time.monotonic()
    boards = live.dashboards(source)
    left = without_scrapes(boards)
    data = os.path.join(folder, "data")

    spans = {}

    def export(directory, name, *options):
        said = run(program, "export", "openmetrics", directory, "-o", f"{directory}.om", "--instance", name,
                   *options)
        samples = int(re.search(r" with (\d+) samples", said)[1])
        with open(f"{directory}.om", encoding="utf-8") as file:
            stamps = [float(line.split()[-1]) for line in file if line.startswith("sluice_run_info{")]
        if len(stamps) != samples:
            live.fail(f"{name}: sluice_run_info has {len(stamps)} samples of {samples}")
        spans[name] = (stamps[0], stamps[-1])
        code, said = live.promtool("tsdb", "create-blocks-from", "openmetrics", f"{directory}.om", data)
        if code != 0:
            live.give_up(f"promtool does not take {name}:\n{said}")

    for name, _ in live.RUNS:
        directory = os.path.join(folder, name)
        run(program, "run", os.path.join(source, "scenarios", f"{name}.yaml"), "--out", directory)
        export(directory, name)
    scenario, other, interval = OTHER
    start = f"{time.time() - 7200:.0f}"
    export(os.path.join(folder, scenario), other, "--start", start, "--interval", f"{interval}s")
    if spans[other][0] != float(start):
        live.fail(f"--start {start} begins at {spans[other][0]}")

    with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
        file.write("global: {}\n")
    server = live.start_prometheus(folder, processes)
    server.began = min(first for name, (first, _) in spans.items() if name != other)

    targets = {name: name for name in spans if name != other}
    asked = live.check_panels(boards, server, list(targets))
    live.check_variables(boards, server, targets)
    for name, (first, end) in spans.items():
        directory = os.path.join(folder, scenario if name == other else name)
        check_totals(server, directory, name, first, end)
    check_rate(server, os.path.join(folder, scenario), scenario, spans[scenario][0], 1)
    check_rate(server, os.path.join(folder, scenario), other, spans[other][0], interval)
    processes.check()
    print(f"{asked} queries of {len(boards)} dashboards ({left} about scrapes left out), "
          f"{len(spans)} exports: {len(live.failures)} failures; {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    sys.exit(live.main(__doc__, run_test))
