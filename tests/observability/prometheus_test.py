#!/usr/bin/env python3
"""The real Prometheus scrapes real runs, and every query of every dashboard has an answer.

  prometheus_test.py PROGRAM [--source DIR] [--keep]

Starts several runs in slow motion, so that together they have a series of every metric, and one that is
over and held; starts Prometheus with the repository's configuration, in a temporary directory and for
these runs' ports; and then checks

  * configuration, rules and the rules' unit tests with promtool, and each scrape too;
  * that both rule files evaluate, that recorded series exist, that alerts fire where they should, and
    are those of docs/observability.md;
  * every query of every panel and every variable of the dashboards, with a run of those in place of the
    variables: it must have a number for at least one run, and the labels that its legend names;
  * that every metric of docs/metrics.md is in a scrape, and on a panel or named in
    docs/observability.md as on none.

Nothing here depends on how fast the machine is, only that a query finds its data within a time that is
long for it. Without prometheus or promtool it says SKIPPED. Standard library only.
"""
import argparse
import contextlib
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

# Scenario and speed: slow enough that each goes on for half a minute or more. It does no harm if one
# ends: graphs are asked for from the beginning on. None: on the virtual clock, over before the first
# scrape and then held.
RUNS = [
    ("pfc-incast", "0.0003x"),      # PFC frames, many hops, virtual switches that push and pull
    ("pfc-watchdog", "0.0001x"),    # watchdogs let go: losses in a lossless priority
    ("ib-credits", "0.0001x"),      # flow packets
    ("rate-control", "0.0002x"),    # marks, notifications, rates
    ("credit-lists", "0.0005x"),    # credit lists
    ("elastic-fifo", "0.0001x"),    # the router
    ("port-stop", "0.0007x"),       # the controller stops a port
    ("demo-lossy", "0.01x"),        # captures, losses in hosts and switches
    ("mbuf-limits", "0.005x"),      # pools of mbufs, chains and their limits
    ("pfc-deadlock", None),         # a deadlock
]
# Alerts that must fire, by run.
FIRING = {
    "pfc-watchdog": {"SluiceWatchdogLetGo", "SluiceLossInLosslessPriority"},
    "pfc-deadlock": {"SluiceDeadlock"},
}
# Alerts that may: what depends on the machine, or on the part of a run that the test sees; and a
# deadlock that a watchdog is about to break up. No other alert may fire for any of these runs.
ALLOWED = {"SluiceBehindRealClock", "SluicePauseStorm", "SluiceEngineRecovers",
           "SluicePauseFramesFlood"}
ALLOWED_FOR = {"pfc-watchdog": {"SluiceDeadlock"}}
SCRAPES = 7       # of each run, before anything is asked
PATIENCE = 60     # seconds, for each thing that is waited for

failures = []


def fail(message):
    failures.append(message)
    print(f"FAILED: {message}", flush=True)


def give_up(message):
    raise SystemExit(f"FAILED: {message}")


def free_port():
    """A port that is free now; whoever takes it must cope if it is not any more."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url, data=None, timeout=10):
    if data is not None:
        data = urllib.parse.urlencode(data).encode()
    # Not through a proxy: everything is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, data=data, timeout=timeout) as reply:
        return reply.read().decode()


def tail(path, lines=15):
    with open(path, encoding="utf-8", errors="replace") as file:
        return "".join(file.readlines()[-lines:])[-3000:]


class Processes:
    """Started here, and ended here whatever happens."""

    def __init__(self, folder):
        self.folder, self.started = folder, []

    def start(self, name, command):
        log = os.path.join(self.folder, f"{name}.log")
        with open(log, "wb") as out:
            p = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL, cwd=self.folder)
        self.started.append((name, p, log))
        return p, log

    def forget(self, process):
        self.started = [s for s in self.started if s[1] is not process]

    def check(self):
        for name, p, log in self.started:
            if p.poll() is not None:
                give_up(f"{name} ended with code {p.returncode}; its last words:\n{tail(log)}")

    def end(self):
        for _, p, _ in self.started:
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
        until = time.monotonic() + 10
        for _, p, _ in self.started:
            try:
                p.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()


def wait_for(what, ready, processes):
    """Until ready() is true; says what it waited for, and why in vain."""
    until = time.monotonic() + PATIENCE
    while True:
        processes.check()
        try:
            found = ready()
            why = "not yet"
        except (urllib.error.URLError, OSError, ValueError) as e:
            found, why = None, str(e)
        if found:
            return found
        if time.monotonic() > until:
            give_up(f"after {PATIENCE} s still waiting for {what} ({why})")
        time.sleep(0.2)


class Prometheus:
    def __init__(self, port):
        self.base, self.began = f"http://127.0.0.1:{port}", time.time()

    def api(self, path, **parameters):
        data = parameters or None
        # Some of the API takes only GET.
        url = f"{self.base}/api/v1/{path}"
        if data and not path.startswith("query"):
            url, data = f"{url}?{urllib.parse.urlencode(data, doseq=True)}", None
        try:
            answer = json.loads(get(url, data))
        except urllib.error.HTTPError as e:
            answer = json.loads(e.read().decode() or "{}")
        if answer.get("status") != "success":
            raise ValueError(answer.get("error", "no answer"))
        return answer["data"]

    def series(self, expr, instant):
        """[(labels, has a number)] of a query as Grafana asks it: for now, or for all the time."""
        now = time.time()
        if instant:
            data = self.api("query", query=expr, time=now)
            if data["resultType"] == "scalar":
                return [({}, not math.isnan(float(data["result"][1])))]
            return [(s["metric"], not math.isnan(float(s["value"][1]))) for s in data["result"]]
        data = self.api("query_range", query=expr, start=self.began, end=now, step=1)
        return [(s["metric"], any(not math.isnan(float(v)) for _, v in s["values"]))
                for s in data["result"]]


def address_in(log):
    with open(log, encoding="utf-8", errors="replace") as file:
        said = re.search(r"serving metrics at http://([\d.:]+)/metrics", file.read())
    return said and said[1]


def start_prometheus(folder, processes):
    for _ in range(3):
        port = free_port()
        process, log = processes.start("prometheus", [
            shutil.which("prometheus"), f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"])
        server = Prometheus(port)
        until = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(urllib.error.URLError, OSError):
                get(f"{server.base}/-/ready")
                return server
            time.sleep(0.1)
        if process.poll() is None or "address already in use" not in tail(log):
            give_up(f"Prometheus does not start; its last words:\n{tail(log)}")
        processes.forget(process)   # somebody was faster
    give_up("Prometheus finds no free port")


def promtool(*arguments, stdin=None):
    done = subprocess.run(["promtool", *arguments], input=stdin, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def documented_metrics(source):
    text = open(os.path.join(source, "docs/metrics.md"), encoding="utf-8").read()
    return dict(re.findall(r"^\| `(sluice_\w+)` \| (\w+) \|", text, re.M))


def on_no_panel(source):
    """The metrics that docs/observability.md names as on no dashboard."""
    path = os.path.join(source, "docs/observability.md")
    text = open(path, encoding="utf-8").read()
    section = re.search(r"^## Metrics on no panel$(.*?)(?=^## |\Z)", text, re.M | re.S)
    if not section:
        give_up("docs/observability.md has no section 'Metrics on no panel'")
    return set(re.findall(r"`(sluice_\w+)`", section[1]))


def dashboards(source):
    folder = os.path.join(source, "metrics/grafana/dashboards")
    found = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found[name] = json.load(file)
    return found


def check_structure(boards):
    """What Grafana would accept silently and show wrongly."""
    uids = [b["uid"] for b in boards.values()]
    if len(set(uids)) != len(uids):
        fail(f"two dashboards have the same uid: {uids}")
    for name, board in boards.items():
        ids = [p["id"] for p in board["panels"]]
        if len(set(ids)) != len(ids):
            fail(f"{name}: two panels have the same id")
        cells = set()
        for p in board["panels"]:
            at = p["gridPos"]
            mine = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                    for y in range(at["y"], at["y"] + at["h"])}
            if at["x"] + at["w"] > 24 or cells & mine:
                fail(f"{name}: panel '{p['title']}' overlaps another, or the edge")
            cells |= mine
            if p["type"] != "row" and not (p["description"] and p["targets"]
                                           and p["fieldConfig"]["defaults"]["unit"]):
                fail(f"{name}: panel '{p['title']}' lacks a description, a query or a unit")


def substitute(text, board, target):
    """What Grafana does with variables, all of them at their defaults."""
    values = {"job": "sluice", "instance": target, "__rate_interval": "5s", "__interval": "1s",
              "datasource": "prometheus"}
    for v in board["templating"]["list"]:
        if "allValue" in v:
            values[v["name"]] = v["allValue"]

    def value(match):
        name = match[1] or match[2]
        if name not in values:
            raise ValueError(f"variable ${name} is not one of the dashboard's")
        return values[name]
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, text)


def check_panels(boards, server, targets):
    asked = 0
    for name, board in boards.items():
        for panel in board["panels"]:
            for query in panel.get("targets", []):
                asked += 1
                where = f"{name}: panel '{panel['title']}', query {query['refId']}"
                try:
                    found = []
                    for target in targets:
                        found += server.series(substitute(query["expr"], board, target),
                                               query["instant"])
                except ValueError as e:
                    fail(f"{where}: {e}\n  {query['expr']}")
                    continue
                labels = [metric for metric, has_number in found if has_number]
                if not labels:
                    fail(f"{where} has no data in any run:\n  {query['expr']}")
                    continue
                for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", query["legendFormat"]):
                    if not any(label in metric for metric in labels):
                        fail(f"{where}: its legend names {label}, which no series has")
    return asked


def check_variables(boards, server, targets):
    for name, board in boards.items():
        for v in board["templating"]["list"]:
            if v["type"] != "query":
                continue
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", v["definition"]).groups()
            for run, target in targets.items():
                values = server.api(f"label/{label}/values",
                                    **{"match[]": substitute(selector, board, target)})
                if not values:
                    fail(f"{name}: variable {v['name']} has no value for {run}")


def firing(server, targets):
    """{run: alerts}"""
    by_target = {target: run for run, target in targets.items()}
    found = {run: set() for run in targets}
    for alert in server.api("alerts")["alerts"]:
        run = by_target.get(alert["labels"].get("instance"))
        if run and alert["state"] == "firing":
            found[run].add(alert["labels"]["alertname"])
    return found


def check_rules(source, server, targets, processes):
    def evaluated():
        groups = server.api("rules")["groups"]
        rules = [r for g in groups for r in g["rules"]]
        return groups if rules and all(r["lastEvaluation"][:4] != "0001" for r in rules) else None
    groups = wait_for("both rule files to be evaluated", evaluated, processes)
    files = {os.path.basename(g["file"]) for g in groups}
    if files != {"recording.yml", "alerts.yml"}:
        fail(f"Prometheus has loaded the rule files {sorted(files)}")
    for group in groups:
        for rule in group["rules"]:
            if rule["health"] != "ok":
                fail(f"rule {rule['name']}: {rule.get('lastError') or rule['health']}")
            elif rule["type"] == "recording" and not any(
                    n for _, n in server.series(rule["name"], instant=False)):
                fail(f"rule {rule['name']} has recorded nothing")
            elif rule["type"] == "alerting":
                for annotation in ("summary", "description"):
                    if not rule["annotations"].get(annotation):
                        fail(f"alert {rule['name']} has no {annotation}")

    manual = open(os.path.join(source, "docs/observability.md"), encoding="utf-8").read()
    alerts = {r["name"] for g in groups for r in g["rules"] if r["type"] == "alerting"}
    for name in sorted(alerts ^ set(re.findall(r"^\| `(Sluice\w+)` \|", manual, re.M))):
        fail(f"alert {name} is only in one of alerts.yml and docs/observability.md")

    wait_for(f"the alerts {FIRING}",
             lambda: all(FIRING[run] <= alerts for run, alerts in firing(server, targets).items()
                         if run in FIRING), processes)
    for run, alerts in firing(server, targets).items():
        for alert in sorted(alerts - FIRING.get(run, set()) - ALLOWED - ALLOWED_FOR.get(run, set())):
            fail(f"alert {alert} fires for {run}, where nothing is wrong")
    return sum(len(g["rules"]) for g in groups)


def check_coverage(source, boards, scrapes):
    metrics = documented_metrics(source)
    if len(metrics) < 50:
        give_up("docs/metrics.md has hardly any metric; has its form changed?")
    used = set()
    for board in boards.values():
        for panel in board["panels"]:
            for query in panel.get("targets", []):
                used |= set(re.findall(r"\bsluice_\w+", query["expr"]))
    base = {re.sub(r"_(bucket|sum|count)$", "", name)
            if metrics.get(re.sub(r"_(bucket|sum|count)$", "", name)) == "histogram" else name
            for name in used}
    for name in sorted(base - set(metrics)):
        fail(f"a panel asks for {name}, which docs/metrics.md does not know")
    named = on_no_panel(source)
    for name in sorted(set(metrics) - base - named):
        fail(f"{name} is on no panel, and docs/observability.md does not say so")
    for name in sorted(named & base):
        fail(f"docs/observability.md says that {name} is on no panel, but it is")
    seen = set(re.findall(r"^# TYPE (sluice_\w+) ", "\n".join(scrapes), re.M))
    for name in sorted(set(metrics) - seen):
        fail(f"{name} is in no scrape of these runs: add a scenario that has it to RUNS")
    return len(metrics)


def run_test(program, source, folder, processes):
    began = time.monotonic()
    for what, arguments in (
            ("config", ["check", "config", os.path.join(source, "metrics/prometheus/prometheus.yml")]),
            ("rules", ["test", "rules"] + [
                os.path.join(source, "metrics/prometheus/rules", f) for f in
                sorted(os.listdir(os.path.join(source, "metrics/prometheus/rules")))
                if f.endswith("_test.yml")])):
        code, said = promtool(*arguments)
        if code != 0:
            fail(f"promtool does not accept the {what}:\n{said}")
    boards = dashboards(source)
    check_structure(boards)

    # Each run takes a free port and says which.
    logs = {}
    for run, speed in RUNS:
        command = [program, "run", os.path.join(source, "scenarios", f"{run}.yaml"), "--threads", "1",
                   "--serve=127.0.0.1:0", "--hold"]
        _, logs[run] = processes.start(run, command + (["--speed", speed] if speed else []))
    targets = {run: wait_for(f"the address of {run}", lambda log=log: address_in(log), processes)
               for run, log in logs.items()}

    # The repository's configuration, for these ports.
    shutil.copytree(os.path.join(source, "metrics/prometheus/rules"), os.path.join(folder, "rules"))
    config = open(os.path.join(source, "metrics/prometheus/prometheus.yml"), encoding="utf-8").read()
    mine = config.replace('["127.0.0.1:9464"]', json.dumps(list(targets.values())))
    if mine == config:
        give_up('metrics/prometheus/prometheus.yml has no target ["127.0.0.1:9464"]')
    with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
        file.write(mine)
    server = start_prometheus(folder, processes)

    # Until each run has been scraped often enough with metrics in it: a page is empty at first.
    def scraped():
        counts = server.api("query", query=f'count_over_time(sluice_virtual_time_seconds[{PATIENCE}s])')
        enough = {s["metric"]["instance"] for s in counts["result"] if float(s["value"][1]) >= SCRAPES}
        return enough >= set(targets.values())
    wait_for(f"{SCRAPES} scrapes of each run", scraped, processes)

    rules = check_rules(source, server, targets, processes)
    # A run's first losses, stops and marks may be on their way still.
    asked = 0
    until = time.monotonic() + PATIENCE
    while True:
        before = len(failures)
        with contextlib.redirect_stdout(None):
            asked = check_panels(boards, server, list(targets.values()))
        if len(failures) == before:
            break
        if time.monotonic() > until:
            for message in failures[before:]:
                print(f"FAILED: {message}", flush=True)
            break
        del failures[before:]
        processes.check()
        time.sleep(1)
    check_variables(boards, server, targets)

    scrapes = []
    for run, target in targets.items():
        text = get(f"http://{target}/metrics")
        scrapes.append(text)
        code, said = promtool("check", "metrics", stdin=text)
        if code != 0 or said:
            fail(f"promtool check metrics, {run}:\n{said[:1000]}")
    metrics = check_coverage(source, boards, scrapes)
    processes.check()
    print(f"{asked} queries of {len(boards)} dashboards, {rules} rules, {metrics} metrics, "
          f"{len(targets)} runs: {len(failures)} failures; {time.monotonic() - began:.0f} s")


def main(description, test):
    """Runs `test` in a folder of its own, with the tools there; the exit code."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("program", help="the sluice program")
    parser.add_argument("--source", help="the source tree",
                        default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    parser.add_argument("--keep", action="store_true", help="keep the temporary directory")
    arguments = parser.parse_args()
    for tool in ("prometheus", "promtool"):
        if not shutil.which(tool):
            print(f"SKIPPED: {tool} is not installed (Debian package prometheus)")
            return 0
    # So that the runs end too when CTest ends this program.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("FAILED: terminated"))
    folder = tempfile.mkdtemp(prefix="sluice-prometheus-")
    processes = Processes(folder)
    try:
        test(os.path.abspath(arguments.program), os.path.abspath(arguments.source), folder, processes)
    finally:
        processes.end()
        if arguments.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(__doc__, run_test))
