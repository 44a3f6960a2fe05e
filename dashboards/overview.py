"""For the operator: is it well, and where does the time go?"""

from dashboards.description import Dashboard, Panel, Query, Row, number, quantiles

IS = "* on (namespace, instance) group_left (command) sluicegate_build_info"

IS_IT_WELL = Row(
    "Is it well?",
    (
        number(
            "Consumers ready",
            f'sum(sluicegate_service_state{{@,state="ready"}} {IS}{{command="consume"}})',
            good_from=1,
        ),
        number(
            "Workers ready", f'sum(sluicegate_service_state{{@,state="ready"}} {IS}{{command="escalate"}})', good_from=1
        ),
        number(
            "Uploads waiting",
            f'sum(sluicegate_lag_records{{@}} {IS}{{command="consume"}})',
            "Not read yet, or in flight. What no member holds is not counted.",
        ),
        number("Decided a second", "sum(rate(sluicegate_outcomes_acknowledged_total{@}[#]))", unit="reqps"),
        number(
            "Dead letters, 1 h",
            'sum(increase(sluicegate_outcomes_acknowledged_total{@,kind="dead_letter"}[1h]))',
            "Each can be replayed.",
            good_below=1,
        ),
        number(
            "Egress refused, 1 h",
            "sum(increase(sluicegate_egress_refused_total{@}[1h]))",
            "Should always be 0.",
            good_below=1,
        ),
    ),
)
TRAFFIC = Row(
    "In and out",
    (
        Panel(
            "Records in, outcomes out",
            (
                Query("sum(rate(sluicegate_records_received_total{@}[#]))", "received"),
                Query("sum by (kind) (rate(sluicegate_outcomes_acknowledged_total{@}[#]))", "{{kind}} acknowledged"),
            ),
            "Of both services. Out stays below in while a backlog grows inside.",
            unit="reqps",
        ),
        Panel(
            "Lag by topic",
            (Query("sum by (topic) (sluicegate_lag_records{@})", "{{topic}}"),),
            "Records that are not handled, of the partitions that members hold.",
        ),
        Panel(
            "Age when received",
            quantiles("sluicegate_step_seconds", 'step="queue"'),
            "From the platform's upload, or the first tier's verdict, until a service had it.",
            unit="s",
        ),
    ),
)
TIME = Row(
    "Where the time goes",
    (
        Panel(
            "Time of one image, p95 by step",
            quantiles("sluicegate_step_seconds", 'step!~"queue|total"', "step", (0.95,)),
            "inference is that of the whole batch; publish is from decided to acknowledged.",
            unit="s",
        ),
        Panel(
            "Received to decided",
            quantiles("sluicegate_step_seconds", 'step="total"', points=(0.5, 0.95, 0.99)),
            "Both services: an escalation's total is that of its second half.",
            unit="s",
        ),
        Panel(
            "In flight",
            (
                Query("sum by (command) (sluicegate_in_flight{@} " + IS + ")", "{{command}}"),
                Query(
                    "max by (command) (sluicegate_in_flight_oldest_seconds{@} " + IS + ")",
                    "{{command}}: oldest, seconds",
                ),
            ),
            "A worker's oldest is old while no language model can be asked.",
        ),
    ),
)
BATCHES = Row(
    "The model",
    (
        Panel(
            "Frames in a batch, mean",
            (
                Query(
                    "sum(rate(sluicegate_batch_frames_sum{@}[#])) / sum(rate(sluicegate_batch_frames_count{@}[#]))",
                    "frames",
                ),
            ),
            "Large under load, small without: a free device waits for nobody.",
        ),
        Panel(
            "Batches by what closed them",
            (Query("sum by (reason) (rate(sluicegate_batch_frames_count{@}[#]))", "{{reason}}"),),
            kind="stacked",
            unit="reqps",
        ),
        Panel(
            "Models and devices",
            (Query('sluicegate_model_info{@,name!=""}', "{{name}} on {{device}} ({{runtime}})"),),
            "sluicegate_gpu_fallback says where a GPU was hoped for.",
            kind="table",
        ),
    ),
)
DELIVERY = Row(
    "Delivery",
    (
        Panel(
            "Dead letters by step and kind",
            (Query("sum by (stage, reason) (rate(sluicegate_dead_letters_total{@}[#]))", "{{stage}} {{reason}}"),),
            unit="reqps",
        ),
        Panel(
            "Commits, revocations, failures",
            (
                Query("sum by (result) (rate(sluicegate_commits_total{@}[#]))", "commits {{result}}"),
                Query("sum(rate(sluicegate_partitions_revoked_total{@}[#]))", "partitions revoked"),
                Query("sum(rate(sluicegate_publish_failures_total{@}[#]))", "publish failures"),
            ),
            unit="reqps",
        ),
        Panel(
            "Standing still",
            (
                Query("sum(sluicegate_blocked_partitions{@})", "partitions blocked"),
                Query("sum(sluicegate_consumption_halted{@})", "consumption halted"),
                Query("sum(sluicegate_gpu_fallback{@})", "on the CPU for want of a GPU"),
            ),
            "All of these should be 0.",
        ),
    ),
)
PROCESSES = Row(
    "Processes",
    (
        Panel(
            "Event loop late, p99",
            (
                *quantiles("sluicegate_event_loop_lag_seconds", by="instance", points=(0.99,)),
                Query("sluicegate_event_loop_silent_seconds{@}", "{{instance}} silent"),
            ),
            "Beyond 30 s Kafka takes the partitions away.",
            unit="s",
        ),
        Panel(
            "Memory",
            (Query("sluicegate_process_resident_memory_bytes{@} " + IS, "{{command}} {{instance}}"),),
            "Without the processes that decode.",
            unit="decbytes",
        ),
        Panel(
            "CPU",
            (Query("rate(sluicegate_process_cpu_seconds_total{@}[#]) " + IS, "{{command}} {{instance}}"),),
            "Cores; without the processes that decode.",
        ),
    ),
)

OVERVIEW = Dashboard(
    "overview",
    "sluicegate: overview",
    "Whether uploads are decided, how fast, and what stands in the way.",
    (IS_IT_WELL, TRAFFIC, TIME, BATCHES, DELIVERY, PROCESSES),
)
