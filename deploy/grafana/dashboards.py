"""Makes the dashboards in dashboards/: `python -m deploy.grafana.dashboards`, or `make generate`.

Grafana's JSON is long and alike; what differs is a title, an expression and a unit a panel. The
files are committed, a test makes them again and compares, and another one runs every expression
against a Prometheus that scrapes a cluster.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deploy.grafana.grafana_json import to_json
from deploy.grafana.panels import RATE, Dashboard, Panel, Variable, quantile, rate, stat

FOLDER: Final = Path(__file__).parent / "dashboards"
INSTANCE: Final = Variable("instance", "ottla_broker_unfenced", "instance")
TOPIC: Final = Variable("topic", "ottla_topic_received_bytes_total", "topic")
GROUP: Final = Variable("group", "ottla_group_lag_records", "group")
_I: Final = 'instance=~"$instance"'
_T: Final = 'topic=~"$topic"'
_G: Final = 'group=~"$group"'

CLUSTER: Final = Dashboard(
    "cluster",
    "Ottla / Cluster",
    [
        stat("Brokers", 'max(ottla_controller_brokers{state="active"})'),
        stat("Fenced", 'max(ottla_controller_brokers{state="fenced"})', bad_from=1),
        stat("Active controllers", "sum(ottla_controller_active)", bad_below=1, bad_from=2),
        stat("Partitions", "max(ottla_controller_partitions)"),
        stat("Offline partitions", "max(ottla_controller_partitions_offline)", bad_from=1),
        stat("Under min ISR", "sum(ottla_partitions_under_min_isr)", bad_from=1),
        Panel(
            "Records in",
            [("sum(rate(ottla_topic_received_records_total[$__rate_interval]))", "in")],
            "cps",
        ),
        Panel(
            "Bytes",
            [
                (f"sum(rate(ottla_topic_received_bytes_total[{RATE}]))", "from producers"),
                (f"sum(rate(ottla_topic_sent_bytes_total[{RATE}]))", "to consumers"),
                (f"sum(rate(ottla_topic_replication_sent_bytes_total[{RATE}]))", "to followers"),
            ],
            "Bps",
        ),
        Panel(
            "Replicas out of sync",
            [("max(ottla_controller_partitions_under_replicated)", "partitions")],
        ),
        Panel(
            "Produce, 99th percentile",
            [
                (
                    quantile(0.99, "ottla_request_duration_seconds", "instance", 'api="Produce"'),
                    "{{instance}}",
                )
            ],
            "s",
            "From the request until its answer, the wait for the in-sync replicas included.",
        ),
        Panel(
            "ISR changes",
            [
                (f"sum(rate(ottla_topic_isr_shrinks_total[{RATE}]))", "shrinks"),
                (f"sum(rate(ottla_topic_isr_expands_total[{RATE}]))", "expands"),
            ],
            "cps",
        ),
        Panel(
            "Errors in answers", [(rate("ottla_request_errors_total", "error"), "{{error}}")], "cps"
        ),
        Panel("Leaders", [('ottla_partitions{role="leader"}', "{{instance}}")]),
        Panel("Ready nodes", [("ottla_node_ready", "{{instance}}")]),
        Panel("Nodes that Prometheus reaches", [('up{job="ottla"}', "{{instance}}")]),
    ],
)

BROKER: Final = Dashboard(
    "broker",
    "Ottla / Broker",
    [
        Panel("Requests", [(rate("ottla_requests_total", "api", _I), "{{api}}")], "cps"),
        Panel(
            "Duration of requests, 99th percentile",
            [(quantile(0.99, "ottla_request_duration_seconds", "api", _I), "{{api}}")],
            "s",
            "A Fetch waits for records as long as its client asked.",
        ),
        Panel(
            "Errors in answers",
            [(rate("ottla_request_errors_total", "api, error", _I), "{{api}} {{error}}")],
            "cps",
        ),
        Panel("Connections", [(f"ottla_connections{{{_I}}}", "{{instance}}")]),
        Panel("Waiting requests", [(f"ottla_requests_waiting{{{_I}}}", "{{instance}}")]),
        Panel(
            "Clients made to pause",
            [(rate("ottla_client_throttles_total", "quota", _I), "{{quota}}")],
            "cps",
        ),
        Panel(
            "Event loop lag, 99th percentile",
            [(quantile(0.99, "ottla_event_loop_lag_seconds", "instance", _I), "{{instance}}")],
            "s",
            "A late event loop delays every client and every heartbeat of the broker.",
        ),
        Panel(
            "Event loop stalls",
            [(f"increase(ottla_event_loop_stalls_total{{{_I}}}[{RATE}])", "{{instance}}")],
            "short",
            "Half a second and longer.",
        ),
        Panel(
            "CPU",
            [(rate("process_cpu_seconds_total", "instance", _I), "{{instance}}")],
            "percentunit",
            "Of one core: a broker uses one.",
        ),
        Panel("Memory", [(f"process_resident_memory_bytes{{{_I}}}", "{{instance}}")], "bytes"),
        Panel("Open files", [(f"process_open_fds{{{_I}}}", "{{instance}}")]),
        Panel(
            "Garbage collections",
            [(rate("python_gc_collections_total", "generation", _I), "generation {{generation}}")],
            "cps",
        ),
        Panel(
            "Free disk space",
            [(f"ottla_log_directory_free_bytes{{{_I}}}", "{{instance}} {{directory}}")],
            "bytes",
        ),
        Panel(
            "Mean time of a log's sync",
            [
                (
                    f"{rate('ottla_log_flush_seconds_total', 'instance', _I)} / "
                    f"{rate('ottla_log_flushes_total', 'instance', _I)}",
                    "{{instance}}",
                )
            ],
            "s",
        ),
        Panel(
            "Deleted by retention",
            [(rate("ottla_retention_deleted_bytes_total", "instance", _I), "{{instance}}")],
            "Bps",
        ),
        Panel(
            "Compaction",
            [
                (rate("ottla_compaction_read_bytes_total", "instance", _I), "{{instance}} read"),
                (
                    rate("ottla_compaction_written_bytes_total", "instance", _I),
                    "{{instance}} written",
                ),
            ],
            "Bps",
        ),
        Panel(
            "Lag of followers",
            [
                (
                    f"ottla_follower_lag_max_records{{{_I}}}",
                    "{{instance}} → broker {{follower}}",
                )
            ],
            help="In the partition where it is most.",
        ),
        Panel(
            "Replicas",
            [(f"sum by (role) (ottla_partitions{{{_I}}})", "{{role}}")],
        ),
    ],
    [INSTANCE],
)

TOPICS: Final = Dashboard(
    "topic",
    "Ottla / Topic",
    [
        Panel(
            "Records in",
            [(rate("ottla_topic_received_records_total", "topic", _T), "{{topic}}")],
            "cps",
        ),
        Panel(
            "Records out",
            [(rate("ottla_topic_sent_records_total", "topic", _T), "{{topic}}")],
            "cps",
        ),
        Panel(
            "Mean size of a record",
            [
                (
                    f"{rate('ottla_topic_received_bytes_total', 'topic', _T)} / "
                    f"{rate('ottla_topic_received_records_total', 'topic', _T)}",
                    "{{topic}}",
                )
            ],
            "bytes",
        ),
        Panel(
            "Bytes in",
            [(rate("ottla_topic_received_bytes_total", "topic", _T), "{{topic}}")],
            "Bps",
        ),
        Panel(
            "Bytes out", [(rate("ottla_topic_sent_bytes_total", "topic", _T), "{{topic}}")], "Bps"
        ),
        Panel(
            "Size of one replica",
            [
                (
                    f"sum by (topic) (max by (topic, partition) "
                    f"(ottla_partition_size_bytes{{{_T}}}))",
                    "{{topic}}",
                )
            ],
            "bytes",
        ),
        Panel(
            "Records kept",
            [
                (
                    f"max by (topic, partition) (ottla_partition_log_end_offset{{{_T}}}) - "
                    f"max by (topic, partition) (ottla_partition_log_start_offset{{{_T}}})",
                    "{{topic}}-{{partition}}",
                )
            ],
        ),
        Panel(
            "Lag of the slowest replica",
            [
                (
                    f"max by (topic, partition) (ottla_partition_replica_lag_records{{{_T}}})",
                    "{{topic}}-{{partition}}",
                )
            ],
        ),
        Panel(
            "ISR changes",
            [
                (rate("ottla_topic_isr_shrinks_total", "topic", _T), "{{topic}} shrinks"),
                (rate("ottla_topic_isr_expands_total", "topic", _T), "{{topic}} expands"),
            ],
            "cps",
        ),
    ],
    [TOPIC],
)

GROUPS: Final = Dashboard(
    "group",
    "Ottla / Groups and transactions",
    [
        Panel(
            "Lag",
            [
                (
                    f"max by (group, topic) (ottla_group_lag_records{{{_G}}})",
                    "{{group}} {{topic}}",
                )
            ],
            help="Told by the group's coordinator, of partitions that it has a replica of.",
        ),
        Panel(
            "Partitions that the lag leaves out",
            [
                (
                    f"max by (group, topic) (ottla_group_lag_unknown_partitions{{{_G}}})",
                    "{{group}} {{topic}}",
                )
            ],
        ),
        Panel("Groups", [("sum by (type, state) (ottla_groups)", "{{type}} {{state}}")]),
        Panel("Members", [("sum(ottla_group_members)", "members")]),
        Panel("Rebalances", [(rate("ottla_group_rebalances_total", "cause"), "{{cause}}")], "cps"),
        Panel("Commits", [(rate("ottla_group_offset_commits_total", "kind"), "{{kind}}")], "cps"),
        Panel(
            "Coordinators that load",
            [
                (
                    'sum by (topic) (ottla_coordinator_partitions{state="loading"})',
                    "{{topic}}",
                )
            ],
        ),
        Panel(
            "Time to load, 99th percentile",
            [
                (
                    "histogram_quantile(0.99, sum by (le, topic) "
                    "(ottla_coordinator_load_duration_seconds_bucket))",
                    "{{topic}}",
                )
            ],
            "s",
            "Of all loads since the brokers began.",
        ),
        Panel(
            "Failed loads",
            [(rate("ottla_coordinator_load_failures_total", "topic"), "{{topic}}")],
            "cps",
        ),
        Panel("Transactions", [("sum by (state) (ottla_transactions)", "{{state}}")]),
        Panel(
            "Oldest open transaction",
            [("max(ottla_transactions_oldest_open_seconds)", "age")],
            "s",
        ),
        Panel(
            "Ends of transactions",
            [
                ("sum(ottla_transactions_marker_backlog)", "waiting for markers"),
                (f"sum(increase(ottla_transactions_timed_out_total[{RATE}]))", "timed out"),
            ],
        ),
    ],
    [GROUP],
)

CONTROLLER: Final = Dashboard(
    "controller",
    "Ottla / Controller",
    [
        Panel("Active controller", [("ottla_controller_active", "{{instance}}")]),
        Panel("Term", [("ottla_quorum_term", "{{instance}}")]),
        Panel("Elections", [(f"increase(ottla_quorum_elections_total[{RATE}])", "{{instance}}")]),
        Panel("Knows a leader", [("ottla_quorum_has_leader", "{{instance}}")]),
        Panel("Last applied", [("ottla_quorum_last_applied", "{{instance}}")]),
        Panel("Not yet applied", [("ottla_quorum_unapplied_entries", "{{instance}}")]),
        Panel(
            "Commands", [(rate("ottla_quorum_proposals_total", "instance"), "{{instance}}")], "cps"
        ),
        Panel(
            "Mean time of a command",
            [
                (
                    "ottla_quorum_proposal_seconds_total / ottla_quorum_proposals_total",
                    "{{instance}}",
                )
            ],
            "s",
            "Since the controller began.",
        ),
        Panel(
            "Commands that failed",
            [(rate("ottla_quorum_proposal_failures_total", "instance"), "{{instance}}")],
            "cps",
        ),
        Panel("Brokers", [("max by (state) (ottla_controller_brokers)", "{{state}}")]),
        Panel(
            "Partitions",
            [
                ("max(ottla_controller_partitions_offline)", "offline"),
                ("max(ottla_controller_partitions_under_replicated)", "under-replicated"),
                ("max(ottla_controller_partitions_led_elsewhere)", "not led by the preferred"),
            ],
        ),
        Panel(
            "Metadata that brokers lack",
            [
                (
                    "scalar(max(ottla_metadata_applied_offset)) - ottla_metadata_applied_offset",
                    "{{instance}}",
                )
            ],
        ),
    ],
)

DASHBOARDS: Final = (CLUSTER, BROKER, TOPICS, GROUPS, CONTROLLER)


def main() -> None:
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.name}.json").write_text(to_json(dashboard), "utf-8")


if __name__ == "__main__":
    main()
