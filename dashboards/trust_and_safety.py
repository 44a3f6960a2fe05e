"""For trust and safety: what is decided, by whom, and what is left to people."""

from dashboards.description import Dashboard, Panel, Query, Row, number, quantiles

FINAL = 'decision!="escalated"'
SHARE = (
    'sum(rate(sluicegate_verdicts_total{@,stage="classifier",decision!="escalated"}[#]))'
    ' / sum(rate(sluicegate_verdicts_total{@,stage="classifier"}[#]))'
)

TODAY = Row(
    "The last 24 hours",
    (
        number("Images decided", f"sum(increase(sluicegate_verdicts_total{{@,{FINAL}}}[24h]))"),
        number("Rejected", 'sum(increase(sluicegate_verdicts_total{@,decision="rejected"}[24h]))'),
        number(
            "Sent to people",
            'sum(increase(sluicegate_verdicts_total{@,decision="review"}[24h]))',
            "Written to the review topic. How many of them people have settled, the tool that reads it knows.",
        ),
        number(
            "Decided by tier one",
            'sum(increase(sluicegate_verdicts_total{@,stage="classifier",decision!="escalated"}[24h]))'
            ' / sum(increase(sluicegate_verdicts_total{@,stage="classifier"}[24h]))',
            "Without a second opinion.",
            unit="percentunit",
        ),
        number("Provisional now", "sum(sluicegate_escalations_waiting{@})", "Escalated, and not settled yet."),
        number(
            "Not judgeable",
            'sum(increase(sluicegate_verdicts_total{@,decision="unprocessable"}[24h]))',
            "No image that can be judged.",
        ),
    ),
)
DECISIONS = Row(
    "Decisions",
    (
        Panel(
            "Final decisions",
            (Query(f"sum by (decision) (rate(sluicegate_verdicts_total{{@,{FINAL}}}[#]))", "{{decision}}"),),
            "Of both tiers; provisional ones are left out.",
            kind="stacked",
            unit="reqps",
            width=12,
        ),
        Panel(
            "Rejected and sent to people, by category",
            (
                Query(
                    'sum by (decision, category) (rate(sluicegate_verdicts_total{@,decision=~"rejected|review"}[#]))',
                    "{{decision}} {{category}}",
                ),
            ),
            "A review without a category rests on none: a degenerate image, an answer that was not valid, an outage.",
            kind="stacked",
            unit="reqps",
            width=12,
        ),
    ),
)
TIERS = Row(
    "Who decides",
    (
        Panel(
            "Share decided by tier one",
            (Query(SHARE, "tier one"),),
            "The rest is asked about: the wider the bands, the lower.",
            unit="percentunit",
        ),
        Panel(
            "What the second tier made of the rest",
            (Query('sum by (decision) (rate(sluicegate_verdicts_total{@,stage="vlm"}[#]))', "{{decision}}"),),
            kind="stacked",
            unit="reqps",
        ),
        Panel(
            "How long a verdict stays provisional",
            quantiles("sluicegate_escalation_seconds"),
            unit="s",
        ),
    ),
)
WHY = Row(
    "Why",
    (
        Panel(
            "Sent to people: reasons",
            (
                Query(
                    "sum by (stage, reason) (rate(sluicegate_verdict_reasons_total"
                    '{@,reason=~"degenerate_image|scores_.*|vlm_(unsure|unavailable|answer_invalid)'
                    '|tiers_disagree|image_changed"}[#])) > 0',
                    "{{stage}} {{reason}}",
                ),
            ),
            "The first reason of each.",
            kind="stacked",
            unit="reqps",
        ),
        Panel(
            "Not judgeable: reasons",
            (
                Query(
                    'sum by (reason) (rate(sluicegate_verdict_reasons_total{@,reason=~"image_.*|decode.*"}[#])) > 0',
                    "{{reason}}",
                ),
            ),
            kind="stacked",
            unit="reqps",
        ),
        Panel(
            "Policy and version in force",
            (Query("sluicegate_build_info{@}", "{{command}} {{version}}, policy {{policy}}"),),
            "Two versions at once: a roll-out is under way.",
            kind="table",
        ),
    ),
)

TRUST_AND_SAFETY = Dashboard(
    "trust-and-safety",
    "sluicegate: trust and safety",
    "What is decided about images, why, and what is left to people.",
    (TODAY, DECISIONS, TIERS, WHY),
)
