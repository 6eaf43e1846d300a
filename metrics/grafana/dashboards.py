#!/usr/bin/env python3
"""Writes dashboards/*.json, which Grafana loads.

  dashboards.py            write them
  dashboards.py --check    fail if they are not what this program writes

A panel is one call below: title, what it means, unit, queries. Ids come from the order of the panels,
and places from their widths, so nobody has to keep either by hand.

Queries. Components count in virtual time, Prometheus samples in wall time. A counter's rate per second
of virtual time is therefore its rate over that of sluice_virtual_time_seconds (`per_second` below); so a
run in slow motion shows the rates of the network and not of the replay. When no virtual time passes
(before a run, or held after it) there is no such rate, and no point in the graph.
"""
import json
import os
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dashboards")

# What every query is about: one run.
RUN = 'job="$job",instance="$instance"'
FLOW = RUN + ',flow=~"$flow"'
NODE = RUN + ',node=~"$node"'
HOST = RUN + ',host=~"$node"'
# Hops, ports and sources begin with the name of their node: tor:p1, h1/vm1.socket, h1.vswitch:vm1.
ON = RUN + ',on=~"$node([/.:].*)?"'
COMPONENT = RUN + ',component=~"$node([/.:].*)?"'
PORT = RUN + ',port=~"$node([/.:].*)?"'
SOURCE = RUN + ',source=~"$node([/.:].*)?"'
PASSES = f"(rate(sluice_virtual_time_seconds{{{RUN}}}[$__rate_interval]) > 0)"

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


def per_second(metric, select, by, top=None):
    """The counter's rate per second of virtual time, added up over all labels but `by`."""
    rate = f"sum by ({by}) (rate({metric}{{{select}}}[$__rate_interval]))"
    query = f"{rate} / on () group_left () {PASSES}"
    return f"topk({top}, {query})" if top else query


def share_of_time(metric, select, by):
    """Of virtual time, the ten largest. In the first seconds of a run rate() extrapolates the two counters
    by different times, and the quotient can be a fifth too large: no share is above 1."""
    return f"topk(10, clamp_max({per_second(metric, select, by)}, 1))"


def engine_rate(metric):
    """Per second of wall time: how fast the program is, not the network."""
    return f"rate({metric}{{{RUN}}}[$__rate_interval])"


def total(metric, select, by, top=None):
    query = f"sum by ({by}) ({metric}{{{select}}})"
    return f"topk({top}, {query})" if top else query


def largest(metric, select, by, top=15):
    return f"topk({top}, max by ({by}) ({metric}{{{select}}}))"


def or_none(label, query):
    """For what is best when there is none of it: one series, called none, in place of 'no data'."""
    return f'{query} or on () label_replace(vector(0), "{label}", "none", "", "")'


def quantile(q, select, window=True):
    buckets = f"sluice_latency_seconds_bucket{{{select}}}"
    if window:
        buckets = f"rate({buckets}[$__rate_interval])"
    return f"histogram_quantile({q}, sum by (flow, le) ({buckets}))"


def thresholds(*steps):
    """thresholds('green', (1, 'red')): the colour from a value on."""
    return {"mode": "absolute",
            "steps": [{"color": steps[0], "value": None}]
            + [{"color": colour, "value": value} for value, colour in steps[1:]]}


PLAIN = thresholds("blue")
ANY_IS_BAD = thresholds("green", (1, "red"))


class Dashboard:
    def __init__(self, uid, title, description, variables):
        self.uid, self.title, self.description, self.variables = uid, title, description, variables
        self.panels, self.x, self.y, self.height = [], 0, 0, 0

    def row(self, title):
        self.new_line()
        self.panels.append({"id": len(self.panels) + 1, "type": "row", "title": title,
                            "collapsed": False, "panels": [],
                            "gridPos": {"x": 0, "y": self.y, "w": 24, "h": 1}})
        self.y += 1

    def new_line(self):
        self.x, self.y, self.height = 0, self.y + self.height, 0

    def add(self, kind, title, description, unit, queries, width, height, options, instant=False,
            form="time_series", custom=None, limits=None, **more):
        if self.x + width > 24:
            self.new_line()
        targets = []
        for i, query in enumerate(queries):
            expr, legend = query if isinstance(query, tuple) else (query, "__auto")
            targets.append({"refId": chr(ord("A") + i), "datasource": DATASOURCE, "expr": expr,
                            "legendFormat": legend, "instant": instant, "range": not instant,
                            "format": form, "editorMode": "code"})
        defaults = {"unit": unit, "thresholds": limits or PLAIN,
                    "color": {"mode": "thresholds" if kind in ("stat", "bargauge", "state-timeline")
                              else "palette-classic"},
                    "mappings": more.pop("mappings", []), "custom": custom or {}}
        for key in ("min", "max", "decimals"):
            if key in more:
                defaults[key] = more.pop(key)
        panel = {"id": len(self.panels) + 1, "type": kind, "title": title,
                 "description": description, "datasource": DATASOURCE,
                 "gridPos": {"x": self.x, "y": self.y, "w": width, "h": height},
                 "targets": targets, "options": options,
                 "fieldConfig": {"defaults": defaults, "overrides": more.pop("overrides", [])}}
        panel.update(more)
        self.panels.append(panel)
        self.x += width
        self.height = max(self.height, height)

    def graph(self, title, description, unit, *queries, width=12, stack=False, limits=None, **more):
        custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 30 if stack else 8,
                  "showPoints": "auto", "spanNulls": False, "axisSoftMin": 0,
                  "stacking": {"mode": "normal" if stack else "none", "group": "A"},
                  "thresholdsStyle": {"mode": "line" if limits else "off"}}
        self.add("timeseries", title, description, unit, queries, width, 8,
                 {"legend": {"displayMode": "table", "placement": "right" if width > 12 else "bottom",
                             "calcs": ["lastNotNull", "max"], "showLegend": True},
                  "tooltip": {"mode": "multi", "sort": "desc"}},
                 custom=custom, limits=limits, **more)

    def stat(self, title, description, unit, query, width=4, limits=None, **more):
        self.add("stat", title, description, unit, [query], width, 4,
                 {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                  "colorMode": "value", "graphMode": "none", "justifyMode": "auto",
                  "textMode": "auto", "orientation": "auto", "wideLayout": True,
                  "showPercentChange": False},
                 limits=limits, instant=True, **more)

    def bars(self, title, description, unit, *queries, width=12, height=8, limits=None, **more):
        self.add("bargauge", title, description, unit, queries, width, height,
                 {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                  "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True,
                  "valueMode": "color", "namePlacement": "auto", "sizing": "auto",
                  "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 300},
                 limits=limits, instant=True, min=0, **more)

    def states(self, title, description, query, words, width=12, height=8):
        """0 and 1 over time; `words` are what the two mean."""
        self.add("state-timeline", title, description, "none", [query], width, height,
                 {"mergeValues": True, "showValue": "auto", "rowHeight": 0.8,
                  "legend": {"displayMode": "list", "placement": "bottom", "calcs": [], "showLegend": False},
                  "tooltip": {"mode": "single", "sort": "none"}},
                 custom={"fillOpacity": 70, "lineWidth": 0}, limits=ANY_IS_BAD,
                 mappings=[{"type": "value", "options": {
                     "0": {"text": words[0], "color": "green", "index": 0},
                     "1": {"text": words[1], "color": "red", "index": 1}}}])

    def table(self, title, description, columns, width=24, height=8, hide=()):
        """`columns`: (heading, unit, query); rows with the same labels are joined."""
        names = {f"Value #{chr(ord('A') + i)}": heading for i, (heading, _, _) in enumerate(columns)}
        if len(columns) == 1:
            names = {"Value": columns[0][0]}
        self.add("table", title, description, "none", [query for _, _, query in columns], width,
                 height, {"showHeader": True, "cellHeight": "sm", "frameIndex": 0,
                          "footer": {"show": False, "reducer": ["sum"], "fields": []}},
                 instant=True, form="table", custom={"align": "auto", "filterable": True, "inspect": False,
                         "cellOptions": {"type": "auto"}},
                 overrides=[{"matcher": {"id": "byName", "options": heading},
                             "properties": [{"id": "unit", "value": unit}]}
                            for heading, unit, _ in columns],
                 transformations=[{"id": "merge", "options": {}},
                                  {"id": "organize", "options": {
                                      "excludeByName": {name: True for name in ("Time",) + tuple(hide)},
                                      "indexByName": {}, "renameByName": names}}])

    def heatmap(self, title, description, unit, query, width=12):
        self.add("heatmap", title, description, unit, [(query, "{{le}}")], width, 8,
                 {"calculate": False, "cellGap": 1, "yAxis": {"unit": unit, "axisPlacement": "left"},
                  "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5,
                            "fill": "dark-orange", "reverse": False},
                  "filterValues": {"le": 1e-9}, "legend": {"show": True},
                  "tooltip": {"mode": "single", "yHistogram": False, "showColorScale": False},
                  "exemplars": {"color": "rgba(255,0,255,0.7)"}, "showValue": "never",
                  "rowsFrame": {"layout": "auto"}},
                 form="heatmap")

    def json(self):
        return {"uid": self.uid, "title": self.title, "description": self.description,
                "tags": ["sluice"], "schemaVersion": 38, "version": 1, "id": None,
                "editable": True, "graphTooltip": 1, "timezone": "browser",
                "time": {"from": "now-5m", "to": "now"}, "refresh": "5s",
                "timepicker": {"refresh_intervals": ["5s", "10s", "30s", "1m"]},
                "annotations": {"list": []},
                "links": [{"type": "dashboards", "tags": ["sluice"], "title": "Sluice",
                           "asDropdown": True, "includeVars": True, "keepTime": True,
                           "targetBlank": False, "icon": "external link", "tooltip": "", "url": ""}],
                "templating": {"list": [VARIABLES[v] for v in self.variables]},
                "panels": self.panels}


def variable(name, label, query, everything):
    v = {"name": name, "label": label, "type": "query", "datasource": DATASOURCE, "hide": 0,
         "definition": query, "query": {"query": query, "refId": f"variable-{name}"},
         "refresh": 2, "regex": "", "sort": 1, "multi": everything, "includeAll": everything,
         "options": [], "skipUrlSync": False}
    if everything:
        # Also what has no such label: links belong to no node.
        v["allValue"] = ".*"
        v["current"] = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return v


VARIABLES = {
    "datasource": {"name": "datasource", "label": "Prometheus", "type": "datasource", "hide": 0,
                   "query": "prometheus", "refresh": 1, "regex": "", "multi": False,
                   "includeAll": False, "options": [], "skipUrlSync": False},
    "job": variable("job", "Job", "label_values(sluice_run_info, job)", False),
    "instance": variable("instance", "Run at",
                         'label_values(sluice_run_info{job="$job"}, instance)', False),
    "flow": variable("flow", "Flow",
                     f"label_values(sluice_made_packets_total{{{RUN}}}, flow)", True),
    "node": variable("node", "Node",
                     f"label_values(sluice_component_in_packets_total{{{RUN}}}, node)", True),
}


def overview():
    d = Dashboard("sluice-overview", "Sluice: overview",
                  "One run: what it did, what each flow got, what was lost, and who blocked whom.",
                  ("datasource", "job", "instance", "flow", "node"))

    d.row("The run")
    d.table("What runs", "The scenario, its seed and clock; when the run is over also the fingerprint "
            "of all deliveries.",
            [("Runs", "none", f"sluice_run_info{{{RUN}}}")], width=16, height=4,
            hide=("__name__", "job", "Value"))
    d.table("Firing alerts", "The alerts of metrics/prometheus/rules/alerts.yml that fire for this run. "
            "Prometheus evaluates them.",
            [("Fires", "none", f'count by (alertname, severity) '
              f'(ALERTS{{{RUN},alertstate="firing"}}) or on () '
              'label_replace(vector(0), "alertname", "none", "", "")')], width=8, height=4)
    d.new_line()
    d.stat("Virtual time", "How far the run has come.", "s", f"sluice_virtual_time_seconds{{{RUN}}}",
           decimals=3)
    d.stat("Wall time", "How long it has taken.", "s", f"sluice_wall_time_seconds{{{RUN}}}")
    d.stat("Delivered", "Of the packets that were due at their producers so far.", "percentunit",
           f"sum(sluice_delivered_packets_total{{{FLOW}}}) / sum(sluice_made_packets_total{{{FLOW}}})",
           decimals=2)
    d.stat("Lost", "Packets dropped anywhere.", "short",
           f"sum(sluice_dropped_packets_total{{{FLOW}}})", limits=ANY_IS_BAD)
    d.stat("Deadlock", "Switches that wait for each other in a circle.", "none",
           f"sluice_deadlock{{{RUN}}}", limits=ANY_IS_BAD,
           mappings=[{"type": "value", "options": {"0": {"text": "none", "index": 0},
                                                   "1": {"text": "DEADLOCK", "index": 1}}}])
    d.stat("Violations", "Of conservation or of the engine's rules. Anything but 0 is a bug of Sluice.",
           "none", f"sluice_violations{{{RUN}}}", limits=ANY_IS_BAD)

    d.row("Flows, per second of virtual time")
    d.graph("Offered", "Frame bytes that were due at the producers.", "Bps",
            (per_second("sluice_made_bytes_total", FLOW, "flow"), "{{flow}}"))
    d.graph("Delivered", "Frame bytes that the consumers took.", "Bps",
            (per_second("sluice_delivered_bytes_total", FLOW, "flow"), "{{flow}}"))
    d.graph("Delivered packets", "Packets that the consumers took.", "pps",
            (per_second("sluice_delivered_packets_total", FLOW, "flow"), "{{flow}}"))
    d.graph("Lost packets", "Packets dropped anywhere on their way.", "pps",
            (per_second("sluice_dropped_packets_total", FLOW, "flow"), "{{flow}}"))
    d.graph("Held packets", "Due, and neither delivered nor lost: at a producer, in a queue or in flight. "
            "A flow that is held up grows here first.", "short",
            (total("sluice_held_packets", FLOW, "flow"), "{{flow}}"))
    d.graph("Held bytes", "The same in frame bytes.", "bytes",
            (total("sluice_held_bytes", FLOW, "flow"), "{{flow}}"))

    d.row("Latency, from due to consumed, in virtual time")
    d.graph("p50 and p99", "Of the packets that were delivered in the last scrapes. Time spent behind a "
            "stopped producer is in it.", "s",
            (quantile(0.5, FLOW), "{{flow}} p50"), (quantile(0.99, FLOW), "{{flow}} p99"))
    d.heatmap("Packets by latency", "All chosen flows together.", "s",
              f"sum by (le) (increase(sluice_latency_seconds_bucket{{{FLOW}}}[$__rate_interval]))")

    d.row("Flows, the whole run so far")
    d.table("By flow", "made = delivered + lost + held. Percentiles come from the buckets (1, 2 and 5 of "
            "each decade); the run's summary has them exactly.",
            [("made", "short", total("sluice_made_packets_total", FLOW, "flow")),
             ("delivered", "short", total("sluice_delivered_packets_total", FLOW, "flow")),
             ("lost", "short", total("sluice_dropped_packets_total", FLOW, "flow")),
             ("held", "short", total("sluice_held_packets", FLOW, "flow")),
             ("made, bytes", "bytes", total("sluice_made_bytes_total", FLOW, "flow")),
             ("lost, bytes", "bytes", total("sluice_dropped_bytes_total", FLOW, "flow")),
             ("goodput", "Bps", total("sluice_goodput_bytes_per_second", FLOW, "flow")),
             ("mean", "s", f"sum by (flow) (sluice_latency_seconds_sum{{{FLOW}}}) / "
              f"sum by (flow) (sluice_latency_seconds_count{{{FLOW}}})"),
             ("p50", "s", quantile(0.5, FLOW, window=False)),
             ("p99", "s", quantile(0.99, FLOW, window=False)),
             ("p99.9", "s", quantile(0.999, FLOW, window=False))])

    d.row("Losses")
    d.graph("By reason", "Per second of virtual time. docs/metrics.md explains the reasons.", "pps",
            (or_none("reason", per_second("sluice_drops_packets_total", NODE, "reason")), "{{reason}}"),
            stack=True)
    d.bars("By place, the whole run so far", "Packets.", "short",
           (or_none("component", total("sluice_drops_packets_total", NODE, "component, reason", top=15)),
            "{{component}} {{reason}}"), limits=thresholds("orange"))
    d.bars("By priority, the whole run so far", "Frame bytes.", "bytes",
           (or_none("priority", total("sluice_drops_bytes_total", NODE, "priority, reason")),
            "priority {{priority}} {{reason}}"), limits=thresholds("orange"))
    d.bars("Who blocks whom", "Share of the run for which a flow was blocked on its way out, by the "
           "component to blame.", "percentunit",
           (or_none("flow", f'topk(15, max by (flow, component) (sluice_flow_blocked_ratio{{{FLOW}}} > 0))'),
            "{{flow}} by {{component}}"),
           limits=thresholds("green", (0.1, "orange"), (0.5, "red")), max=1)

    d.row("Components")
    labels = "component"
    d.graph("Fullest components", "Frame bytes that are in them now.", "bytes",
            (total("sluice_component_held_bytes", NODE, labels, top=10), "{{component}}"))
    d.graph("Fullest components, packets", "Packets that are in them now.", "short",
            (total("sluice_component_held_packets", NODE, labels, top=10), "{{component}}"))
    d.graph("Busiest components, in", "Per second of virtual time. What is made in a component counts as "
            "coming in.", "Bps",
            (per_second("sluice_component_in_bytes_total", NODE, labels, top=10), "{{component}}"))
    d.graph("Busiest components, out", "Per second of virtual time. What is consumed in a component counts "
            "as going out.", "Bps",
            (per_second("sluice_component_out_bytes_total", NODE, labels, top=10), "{{component}}"))
    d.graph("Packets in", "Per second of virtual time, by kind of component.", "pps",
            (per_second("sluice_component_in_packets_total", NODE, "kind"), "{{kind}}"))
    d.graph("Packets out", "Per second of virtual time, by kind of component.", "pps",
            (per_second("sluice_component_out_packets_total", NODE, "kind"), "{{kind}}"))
    d.bars("Most bytes ever held", "By the buffers of components, over the whole run so far.", "bytes",
           (largest("sluice_queue_max_bytes", NODE, labels), "{{component}}"))
    d.bars("Most packets ever held", "By the buffers of components, over the whole run so far.", "short",
           (largest("sluice_queue_max_packets", NODE, labels), "{{component}}"))

    d.row("Captures that are replayed")
    d.table("What became of them", "Empty if nothing is replayed.",
            [(heading, "bytes" if heading == "bytes" else "short",
              f"sum by (flow, file) (sluice_capture_{name}_total{{{FLOW}}})")
             for heading, name in (("packets", "packets"), ("bytes", "bytes"),
                                   ("filtered", "filtered_packets"), ("unmapped", "unmapped_packets"),
                                   ("sliced", "sliced_packets"), ("oversize", "oversize_packets"),
                                   ("split into", "split_packets"),
                                   ("backward", "backward_packets"),
                                   ("not Ethernet", "not_ethernet_packets"))], height=6)
    return d


def flow_control():
    d = Dashboard("sluice-flow-control", "Sluice: flow control",
                  "Who stops whom and for how long; PFC and PAUSE frames, InfiniBand credits, marks and "
                  "rates, credit lists.", ("datasource", "job", "instance", "flow", "node"))
    hop = "{{on}} priority {{priority}}"
    by_hop = "on, priority"

    d.row("Hops: `on` is the component whose buffer fills and that stops its sender")
    d.graph("Share of time stopped", "Of virtual time, the ten worst hops. The alert SluicePauseStorm "
            "fires above 80%.", "percentunit",
            (share_of_time("sluice_stopped_seconds_total", ON, by_hop), hop), max=1,
            limits=thresholds("green", (0.8, "red")))
    d.bars("Stopped, the whole run so far", "Virtual time for which the hop's sender was held.", "s",
           (total("sluice_stopped_seconds_total", ON, by_hop, top=15), hop))
    d.graph("Stops sent", "Per second of virtual time, the ten most frequent.", "ops",
            (per_second("sluice_stops_sent_total", ON, by_hop, top=10), hop))
    d.graph("Stops received", "Per second of virtual time: those that have reached the senders.", "ops",
            (per_second("sluice_stops_received_total", ON, by_hop, top=10), hop))
    d.bars("How near to its threshold", "Largest occupancy over the threshold at which the hop stops its "
           "sender. Below 100% it never had to.", "percentunit",
           (largest("sluice_stop_threshold_closest_ratio", ON, by_hop), hop),
           limits=thresholds("green", (0.8, "orange"), (1, "red")))
    d.graph("Components that stopped sending", "Because the next had no room or said stop. Per second of "
            "virtual time, the ten most frequent.", "ops",
            (per_second("sluice_sleeps_total", NODE, "component", top=10), "{{component}}"))

    d.row("PFC and PAUSE")
    frames = "{{port}} priority {{priority}}"
    d.states("Deadlock", "Whether switches wait for each other in a circle.",
             (f"sluice_deadlock{{{RUN}}}", "switches"), ("none", "deadlock"), width=8)
    d.graph("Frames sent", "That hold a priority or let it go, per second of virtual time.", "pps",
            (per_second("sluice_pause_frames_total", PORT + ',direction="sent"', "port, priority", 10),
             frames), width=8)
    d.graph("Frames received", "By the ports that obey them. Fewer than sent: some are on their way, or a "
            "link was down.", "pps",
            (per_second("sluice_pause_frames_total", PORT + ',direction="received"', "port, priority",
                        10), frames), width=8)
    d.graph("Quanta received", "Pause time that frames said, in units of 512 bit times, per second of "
            "virtual time.", "short",
            (per_second("sluice_pause_quanta_total", PORT + ',direction="received"', "port, priority",
                        10), frames), width=8)
    d.bars("Watchdogs that let go", "A PFC watchdog has given up a priority that was held for too long: "
           "it is not lossless any more.", "short",
           (or_none("on", total("sluice_watchdog_storms_total", ON, by_hop, top=15)), hop),
           limits=ANY_IS_BAD, width=8)
    d.bars("Frames ignored", "They meant a priority that is not lossless, or were PAUSE frames on a port "
           "with PFC: the two ends of a link do not agree.", "short",
           (or_none("port", total("sluice_pause_frames_ignored_total", PORT, "port", top=15)), "{{port}}"),
           limits=ANY_IS_BAD, width=8)

    d.row("Credits of InfiniBand")
    d.graph("Flow packets sent", "With credits of a lane, per second of virtual time.", "pps",
            (per_second("sluice_flow_packets_total", PORT + ',direction="sent"', "port, priority", 10),
             "{{port}} lane {{priority}}"))
    d.graph("Flow packets received", "With credits of a lane, per second of virtual time.", "pps",
            (per_second("sluice_flow_packets_total", PORT + ',direction="received"', "port, priority",
                        10), "{{port}} lane {{priority}}"))

    d.row("Congestion marks and the rates of sources")
    d.graph("Marked by queues", "Packets marked as congested (ECN), per second of virtual time.", "pps",
            (per_second("sluice_marked_packets_total", NODE, "component", top=10), "{{component}}"))
    d.graph("Delivered with a mark", "Share of the packets of a flow.", "percentunit",
            (f"sum by (flow) (rate(sluice_flow_marked_packets_total{{{FLOW}}}[$__rate_interval])) / "
             f"(sum by (flow) (rate(sluice_delivered_packets_total{{{FLOW}}}[$__rate_interval])) > 0)",
             "{{flow}}"), max=1)
    d.graph("Allowed rate", "How fast a source may send now.", "Bps",
            (f"sluice_rate_bytes_per_second{{{SOURCE}}}", "{{source}}"), width=8)
    d.graph("Notifications", "Of congestion to sources, per second of virtual time.", "ops",
            (per_second("sluice_rate_notifications_total", SOURCE, "source", top=10), "{{source}}"),
            width=8)
    d.bars("Lowest rate so far", "The least that a source was allowed.", "Bps",
           (f"bottomk(15, sluice_rate_lowest_bytes_per_second{{{SOURCE}}})", "{{source}}"), width=8)

    d.row("Credit lists")
    by_connection = "flow, from, to"
    connection = "{{flow}} {{from}} to {{to}}"
    d.states("Broken connections", "A packet found no receive buffer, or one too small.",
             (f"topk(15, sluice_credit_list_broken{{{FLOW}}})", connection), ("works", "broken"), width=8)
    d.graph("Share of time stalled", "Of virtual time: the sender had data and no credits.",
            "percentunit",
            (share_of_time("sluice_credit_list_stalled_seconds_total", FLOW, by_connection),
             connection), width=8, max=1)
    d.graph("Lists", "Sent by receivers, per second of virtual time.", "ops",
            (per_second("sluice_credit_lists_total", FLOW, by_connection, top=10), connection), width=8)
    d.graph("Credits told of", "Per second of virtual time.", "ops",
            (per_second("sluice_credit_list_credits_total", FLOW, by_connection, top=10), connection),
            width=8)
    d.graph("Credits used", "Per second of virtual time. Far fewer than told of: the sender is idle or "
            "the buffers do not suit it.", "ops",
            (per_second("sluice_credit_list_used_total", FLOW, by_connection, top=10), connection),
            width=8)
    d.graph("Wasted", "Bytes of receive buffers that packets left empty, per second of virtual time.",
            "Bps",
            (per_second("sluice_credit_list_wasted_bytes_total", FLOW, by_connection, top=10),
             connection), width=8)
    d.bars("Most credits outstanding", "Told of and not used.", "short",
           (largest("sluice_credit_list_outstanding_max", FLOW, by_connection), connection))
    d.bars("Changes of mode", "How often the receiver switched.", "short",
           (total("sluice_credit_list_switches_total", FLOW, by_connection, top=15), connection))

    d.row("Aggregated links")
    by_port = "node, partition, port"
    d.graph("Partitions by port", "Frame bytes that a switch gave to each port of a partition's set, per "
            "second of virtual time.", "Bps",
            (per_second("sluice_aggregation_bytes_total", NODE, by_port, top=15),
             "{{partition}} {{port}}"), width=16)
    d.graph("Packets by port", "Likewise in packets.", "pps",
            (per_second("sluice_aggregation_packets_total", NODE, by_port, top=15),
             "{{partition}} {{port}}"), width=8)
    d.bars("Flows", "That got a port of their partition's set.", "short",
           (total("sluice_aggregation_flows_total", NODE, "node, partition", top=15),
            "{{node}} {{partition}}"), width=6)
    d.bars("Moved flows", "That got another port because theirs had left the sets.", "short",
           (total("sluice_aggregation_moves_total", NODE, "node, partition", top=15),
            "{{node}} {{partition}}"), width=6)
    d.bars("Lost for want of a link", "Packets that came while all ports of their set were away, and "
           "what each port threw away while it was.", "short",
           (total("sluice_aggregation_lost_packets_total", NODE, "node, partition", top=15),
            "{{node}} {{partition}}"),
           (total("sluice_aggregation_purged_packets_total", PORT, "port", top=15),
            "{{port}} purged"), width=6, limits=thresholds("orange"))
    d.bars("Ports that left", "How often they left their sets, and came back.", "short",
           (total("sluice_aggregation_leaves_total", PORT, "port", top=15), "{{port}} left"),
           (total("sluice_aggregation_returns_total", PORT, "port", top=15), "{{port}} came back"),
           width=6)
    return d


def virtual_switch():
    d = Dashboard("sluice-virtual-switch", "Sluice: virtual switch",
                  "Inside the hosts: virtual switches, their controller, and the elastic FIFO.",
                  ("datasource", "job", "instance", "node"))

    d.row("Virtual switches")
    d.graph("Pushed", "Packets moved on when a sender had enqueued one, or after a pull. Per second of "
            "virtual time.", "pps",
            (per_second("sluice_pushed_packets_total", NODE, "component", top=10), "{{component}}"))
    d.graph("Pulled", "Packets moved on because a receiver had found nothing. Per second of virtual "
            "time.", "pps",
            (per_second("sluice_pulled_packets_total", NODE, "component", top=10), "{{component}}"))
    d.graph("Woken", "Components that had nothing to send and were woken by a packet. Per second of "
            "virtual time.", "ops",
            (per_second("sluice_wake_ups_total", NODE, "component", top=10), "{{component}}"))
    d.graph("Gone to sleep", "Components that stopped because the next had no room or said stop. Per "
            "second of virtual time, by kind.", "ops",
            (per_second("sluice_sleeps_total", NODE, "kind"), "{{kind}}"))
    kinds = ('kind=~"socket|qdisc|vnic|hypervisor|vswitch.*|bridge|nic|elastic fifo|receive buffer|send queue"')
    d.graph("Held on the way through hosts", "Frame bytes by kind of component, all hosts together.",
            "bytes",
            (total("sluice_component_held_bytes", NODE + "," + kinds, "kind"), "{{kind}}"), stack=True)
    d.bars("Lost in hosts", "Packets by component and reason, the whole run so far. Links and physical "
           "switches are on the overview.", "short",
           (or_none("component", 'topk(15, sum by (component, reason) (sluice_drops_packets_total'
                    f'{{{NODE},component!~"[^./:]+:p[0-9]+.*|.*->.*"}}))'),
            "{{component}} {{reason}}"), limits=thresholds("orange"))

    d.row("The controller")
    d.states("Ports", "Stopped or open, as far as the controller knows. The fifteen that matter.",
             (f"topk(15, sluice_controller_port_stopped{{{PORT}}})", "{{port}}"), ("open", "stopped"))
    d.graph("Share of time stopped", "Of virtual time, by the notices that the controller has had.",
            "percentunit",
            (share_of_time("sluice_controller_stopped_seconds_total", PORT, "port"), "{{port}}"),
            max=1)
    d.graph("Notices of stops", "To the controller, per second of virtual time.", "ops",
            (per_second("sluice_controller_stops_total", PORT, "port", top=10), "{{port}}"))
    d.stat("Commands", "That the controller has sent to virtual switches.", "short",
           f"sluice_controller_commands_total{{{RUN}}}")

    d.row("Elastic FIFO")
    d.graph("Packets by path", "direct: sent at once; refused: stored for want of resources; special: "
            "stored for the assist engine; taken: out of the FIFO again. Per second of virtual time.",
            "pps", (per_second("sluice_router_packets_total", HOST, "host, path"), "{{host}} {{path}}"))
    d.graph("Waiting", "Packets in the elastic FIFO now.", "short",
            (f"sluice_router_waiting_packets{{{HOST}}}", "{{host}}"))
    d.graph("Memory", "Of all its buffers and queues: now, and the most so far.", "bytes",
            (f"sluice_router_footprint_bytes{{{HOST}}}", "{{host}}"),
            (f"sluice_router_footprint_max_bytes{{{HOST}}}", "{{host}} most"))
    d.graph("Buffers used", "Of each pool's buffers.", "percentunit",
            (f"sluice_router_buffers_used{{{HOST}}} / (sluice_router_buffers{{{HOST}}} > 0)",
             "{{host}} {{pool}}"), max=1, limits=thresholds("green", (0.9, "orange")))
    d.graph("Buffers", "In each pool, free or used: the FIFO grows and shrinks.", "short",
            (f"sluice_router_buffers{{{HOST}}}", "{{host}} {{pool}}"))
    d.graph("Buffers in use", "In each pool.", "short",
            (f"sluice_router_buffers_used{{{HOST}}}", "{{host}} {{pool}}"))
    d.graph("Pools that grow and shrink", "Times that buffers were added or given back, per second of "
            "virtual time.", "ops",
            (per_second("sluice_router_buffers_grown_total", HOST, "host, pool"),
             "{{host}} {{pool}} grown"),
            (per_second("sluice_router_buffers_shrunk_total", HOST, "host, pool"),
             "{{host}} {{pool}} shrunk"))
    d.graph("Packets that waited for a buffer", "And everything behind them. Per second of virtual time.",
            "pps", (per_second("sluice_router_buffer_waits_total", HOST, "host"), "{{host}}"))
    d.graph("Assist engine", "Packets of which it found the connections, and connections that it assigned "
            "packets to. Per second of virtual time.", "ops",
            (per_second("sluice_router_assist_packets_total", HOST, "host"), "{{host}} packets"),
            (per_second("sluice_router_assist_connections_total", HOST, "host"),
             "{{host}} connections"))
    d.graph("Local engine: grants", "Times that it asked for a connection's resources, and there were "
            "some. Per second of virtual time.", "ops",
            (per_second("sluice_router_local_grants_total", HOST, "host"), "{{host}}"))
    d.graph("Local engine: connections for itself", "How many at a time, on average.", "short",
            (per_second("sluice_router_exclusive_seconds_total", HOST, "host"), "{{host}}"))
    d.bars("Most that ever waited", "Packets in all, and for one connection.", "short",
           (f"sluice_router_waiting_max_packets{{{HOST}}}", "{{host}} in all"),
           (f"sluice_router_queue_max_packets{{{HOST}}}", "{{host}} for one connection"), width=6)
    d.bars("Most buffers a pool had", "Free or used.", "short",
           (f"sluice_router_buffers_max{{{HOST}}}", "{{host}} {{pool}}"), width=6)

    d.row("What NICs read by DMA")
    d.graph("Packets", "Read from this queue, per second of virtual time.", "pps",
            (per_second("sluice_dma_packets_total", COMPONENT, "component", top=10), "{{component}}"),
            width=6)
    d.graph("Operations", "One a packet, or two if header and payload are apart. Per second of virtual "
            "time.", "ops",
            (per_second("sluice_dma_operations_total", COMPONENT, "component", top=10),
             "{{component}}"), width=6)
    d.graph("Reads of descriptors", "Per second of virtual time.", "ops",
            (per_second("sluice_dma_descriptor_reads_total", COMPONENT, "component", top=10),
             "{{component}}"), width=6)
    d.graph("Bytes on the bus", "Completions towards the NIC (down), requests (up), per second of virtual "
            "time.", "Bps",
            (per_second("sluice_dma_bytes_total", COMPONENT, "component, direction", top=10),
             "{{component}} {{direction}}"), width=6)

    d.row("Mbufs")
    d.graph("Pools of mbufs", "Clusters that packets on a VM's sockets hold, and the size of the pool.",
            "bytes",
            (f"sluice_mbuf_held_bytes{{{COMPONENT}}}", "{{component}}"),
            (f"sluice_mbuf_held_max_bytes{{{COMPONENT}}}", "{{component}} most"),
            (f"sluice_mbuf_pool_bytes{{{COMPONENT}}}", "{{component}} pool"))
    d.graph("Chains", "Clusters that the mbufs of a remote address hold. The ten longest.", "bytes",
            (f"topk(10, sluice_mbuf_chain_bytes{{{COMPONENT}}})", "{{remote}} at {{component}}"))
    d.graph("Limits of chains", "What the chain of a remote address may hold. The ten lowest.", "bytes",
            (f"bottomk(10, sluice_mbuf_chain_limit_bytes{{{COMPONENT}}})", "{{remote}} at {{component}}"))
    d.graph("Limits lowered and raised", "As oldest mbufs grew too old, and were young again. Per second "
            "of virtual time.", "ops",
            (per_second("sluice_mbuf_chain_lowered_total", COMPONENT, "component"), "{{component}} lowered"),
            (per_second("sluice_mbuf_chain_raised_total", COMPONENT, "component"), "{{component}} raised"))
    d.graph("Refused for want of mbufs", "At the limit of the chain, or with an empty pool. Packets per "
            "second of virtual time.", "pps",
            (per_second("sluice_mbuf_chain_refused_packets_total", COMPONENT, "remote", top=10),
             "{{remote}} at its limit"),
            (per_second("sluice_mbuf_chain_exhausted_packets_total", COMPONENT, "remote", top=10),
             "{{remote}}, empty pool"))
    d.graph("Packets by remote address", "That came to a VM with a pool of mbufs.", "pps",
            (per_second("sluice_mbuf_chain_packets_total", COMPONENT, "remote", top=10), "{{remote}}"))
    d.bars("Longest chain", "That a remote address ever had.", "bytes",
           (f"topk(15, sluice_mbuf_chain_max_bytes{{{COMPONENT}}})", "{{remote}} at {{component}}"), width=6)
    d.bars("Lowest limit", "That a remote address ever had.", "bytes",
           (f"bottomk(15, sluice_mbuf_chain_limit_min_bytes{{{COMPONENT}}})", "{{remote}} at {{component}}"),
           width=6)
    d.bars("Oldest mbuf", "Of a remote address, as measured.", "s",
           (f"topk(15, sluice_mbuf_chain_age_max_seconds{{{COMPONENT}}})", "{{remote}} at {{component}}"),
           width=6)
    return d


def engine():
    d = Dashboard("sluice-engine", "Sluice: engine",
                  "How fast the emulator is, and whether it keeps up. Rates here are per second of wall "
                  "time.", ("datasource", "job", "instance"))
    speed = (f"rate(sluice_virtual_time_seconds{{{RUN}}}[$__rate_interval]) / "
             f"(rate(sluice_wall_time_seconds{{{RUN}}}[$__rate_interval]) > 0)")

    d.row("The run")
    d.stat("Virtual time", "How far the run has come.", "s", f"sluice_virtual_time_seconds{{{RUN}}}",
           decimals=3)
    d.stat("Wall time", "How long it has taken, without setting it up.", "s",
           f"sluice_wall_time_seconds{{{RUN}}}")
    d.stat("Set-up", "Building and starting the actors.", "s", f"sluice_setup_time_seconds{{{RUN}}}")
    d.stat("Threads", "That run the actors.", "short", f"sluice_engine_threads{{{RUN}}}")
    d.stat("Actors", "Of the run.", "short", f"sluice_engine_actors{{{RUN}}}")
    d.stat("Channels", "Between actors.", "short", f"sluice_engine_channels{{{RUN}}}")
    d.stat("Packet-hops", "Packets that left one store-and-forward queue and entered the next, or the "
           "consumer.", "short", f"sluice_packet_hops_total{{{RUN}}}")
    d.stat("Packet-hops a second", "Over the whole run so far.", "ops",
           f"sluice_packet_hops_total{{{RUN}}} / (sluice_wall_time_seconds{{{RUN}}} > 0)")
    d.stat("Speed", "Virtual time over wall time, over the whole run so far.", "none",
           f"sluice_virtual_time_seconds{{{RUN}}} / (sluice_wall_time_seconds{{{RUN}}} > 0)")
    d.stat("Run", "Whether it is over. Then these are its last figures.", "none",
           f"sluice_run_over{{{RUN}}}",
           mappings=[{"type": "value", "options": {"0": {"text": "goes on", "index": 0},
                                                   "1": {"text": "over", "index": 1}}}])
    d.stat("Lag", "The most that a run on the real clock was behind it. 0 on the virtual clock.", "s",
           f"sluice_lag_seconds{{{RUN}}}", limits=thresholds("green", (0.02, "orange"), (0.1, "red")))
    d.stat("Recoveries", "Times that the engine had to find the next event of an idle network. That is "
           "legal; many for each activation are not.", "short",
           f"sluice_engine_recoveries_total{{{RUN}}}")
    d.stat("Violations", "Of conservation or of the engine's rules. Anything but 0 is a bug of Sluice.",
           "none", f"sluice_violations{{{RUN}}}", limits=ANY_IS_BAD)

    d.row("How fast")
    d.graph("Speed", "Virtual time over wall time, between snapshots. On the real clock it is the factor "
            "asked for.", "none", (speed, "speed"))
    d.graph("Packet-hops", "Per second of wall time.", "ops",
            (engine_rate("sluice_packet_hops_total"), "packet-hops"))
    d.graph("Lag", "The most so far that a run on the real clock was behind it: rising again and again "
            "means that the machine is too slow for this speed.", "s",
            (f"sluice_lag_seconds{{{RUN}}}", "lag"), limits=thresholds("green", (0.1, "red")))
    d.graph("Virtual time", "A straight line on the real clock. Level while the wall time rises: the "
            "engine is stalled. Both level: the run is over.", "s",
            (f"sluice_virtual_time_seconds{{{RUN}}}", "virtual"),
            (f"sluice_wall_time_seconds{{{RUN}}}", "wall"))

    d.row("What the actors do, per second of wall time")
    d.graph("Activations and parcels", "Activations of actors, and parcels sent between them.", "ops",
            (engine_rate("sluice_engine_activations_total"), "activations"),
            (engine_rate("sluice_engine_parcels_total"), "parcels"))
    d.graph("Wants and recoveries", "Requests for a promise that an actor lacked, and times that the "
            "engine had to find the next event of an idle network.", "ops",
            (engine_rate("sluice_engine_wants_total"), "wants"),
            (engine_rate("sluice_engine_recoveries_total"), "recoveries"))
    d.graph("Packet-hops for each parcel", "Larger batches cost less.", "short",
            (f"{engine_rate('sluice_packet_hops_total')} / "
             f"({engine_rate('sluice_engine_parcels_total')} > 0)", "packet-hops"))
    d.graph("Recoveries for each activation", "Above 50% the engine does little else.", "percentunit",
            (f"{engine_rate('sluice_engine_recoveries_total')} / "
             f"({engine_rate('sluice_engine_activations_total')} > 0)", "recoveries"),
            limits=thresholds("green", (0.5, "red")))

    d.row("The endpoint")
    d.graph("Scrape", "How long a scrape takes. It reads the last snapshot and does not disturb the run.",
            "s", (f"scrape_duration_seconds{{{RUN}}}", "duration"))
    d.graph("Series", "In a scrape. They grow with components, hops and flows.", "short",
            (f"scrape_samples_scraped{{{RUN}}}", "series"))
    return d


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit("usage: dashboards.py [--check]")
    written = {f"{d.uid.removeprefix('sluice-')}.json": json.dumps(d.json(), indent=1) + "\n"
               for d in (overview(), flow_control(), virtual_switch(), engine())}
    if not check:
        for name, text in written.items():
            with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as file:
                file.write(text)
        return
    stray = sorted(set(os.listdir(FOLDER)) - set(written))
    wrong = [f"{name} is not written by dashboards.py" for name in stray]
    for name, text in written.items():
        path = os.path.join(FOLDER, name)
        if not os.path.exists(path):
            wrong.append(f"{name} is missing")
        elif open(path, encoding="utf-8").read() != text:
            wrong.append(f"{name} differs from what dashboards.py writes")
    if wrong:
        sys.exit("\n".join(wrong) + "\nrun metrics/grafana/dashboards.py and commit the result")
    print(f"{len(written)} dashboards are what dashboards.py writes")


if __name__ == "__main__":
    main()
