"""For the operator: the language model, its servers, and those who wait for it."""

from dashboards.description import Dashboard, Panel, Query, Row, number, quantiles

NOW = Row(
    "Now",
    (
        number("Can be asked", "max(sluicegate_second_tier_available{@})", "1: some server can.", good_from=1),
        number("Waiting", "sum(sluicegate_escalations_waiting{@})", "Received, and nobody asked yet."),
        number(
            "Oldest waits for",
            "max(sluicegate_escalations_oldest_seconds{@})",
            "Since the first tier's verdict.",
            unit="s",
            good_below=900,
        ),
        number(
            "Servers left alone",
            'sum(sluicegate_ollama_breaker_state{@,state!="closed"})',
            "Their breaker is open.",
            good_below=1,
        ),
        number("Answers a second", "sum(rate(sluicegate_ollama_seconds_count{@}[#]))", unit="reqps"),
        number(
            "Failures, 1 h", "sum(increase(sluicegate_ollama_failures_total{@}[1h]))", "Attempts without an answer."
        ),
    ),
)
QUEUE = Row(
    "Escalations",
    (
        Panel(
            "Escalated, and answered",
            (
                Query(
                    'sum(rate(sluicegate_verdicts_total{@,stage="classifier",decision="escalated"}[#]))',
                    "escalated by the first tier",
                ),
                Query('sum(rate(sluicegate_verdicts_total{@,stage="vlm"}[#]))', "settled by the second"),
            ),
            unit="reqps",
        ),
        Panel(
            "Waiting, and the oldest's age",
            (
                Query("sum(sluicegate_escalations_waiting{@})", "waiting"),
                Query("max(sluicegate_escalations_oldest_seconds{@})", "oldest, seconds"),
            ),
        ),
        Panel(
            "Age when settled",
            quantiles("sluicegate_escalation_seconds", points=(0.5, 0.95)),
            "From the first tier's verdict to the second's: how long a provisional verdict stands.",
            unit="s",
        ),
    ),
)
ANSWERS = Row(
    "Answers",
    (
        Panel(
            "Questions by what came of them",
            (Query("sum by (result) (rate(sluicegate_opinion_seconds_count{@}[#]))", "{{result}}"),),
            "All attempts at one image are one question. away: nobody could be asked, the image waits.",
            kind="stacked",
            unit="reqps",
        ),
        Panel(
            "Time of one answer by server",
            quantiles("sluicegate_ollama_seconds", by="server"),
            "Valid answers only.",
            unit="s",
        ),
        Panel(
            "Time of one question",
            quantiles("sluicegate_opinion_seconds"),
            "Attempts, pauses and waiting for a free server among it.",
            unit="s",
        ),
    ),
)
SERVERS = Row(
    "Servers",
    (
        Panel(
            "Failures by kind",
            (Query("sum by (server, reason) (rate(sluicegate_ollama_failures_total{@}[#]))", "{{server}} {{reason}}"),),
            unit="reqps",
            width=12,
        ),
        Panel(
            "Breaker open",
            (
                Query(
                    'sum by (server) (sluicegate_ollama_breaker_state{@,state=~"open|half_open"})',
                    "{{server}}",
                ),
            ),
            "By how many workers a server is left alone.",
            width=12,
        ),
    ),
)

SECOND_TIER = Dashboard(
    "second-tier",
    "sluicegate: second tier",
    "Who asks the language model, what comes of it, and how long that takes.",
    (NOW, QUEUE, ANSWERS, SERVERS),
)
