"""Figures as tables, in Markdown: for the terminal, for the report's folder and for `docs/`."""

from collections.abc import Iterable, Sequence
from statistics import mean

from capacity import GPU_GOAL_PER_S, HEADROOM, RATES, SECONDS_PER_DAY, devices
from case import BATCH
from figures import Figures
from full_load import FullLoad
from load_curve import Curve

MEBIBYTE = 2**20
GIGABYTE = 1e9
MILLION = 1e6


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; numbers stand on the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def full_table(figures: Figures) -> str:
    """The one table: everybody's events per second, and sluicegate's against each of the others."""
    head = (
        "case",
        "model alone",
        "decoding alone",
        "limit",
        "shared limit",
        "naive",
        "afternoon",
        "afternoon, exact",
        "without Kafka",
        "**sluicegate**",
    )
    ratios = ("of limit", "of shared limit", "naive x", "afternoon x", "exact x")
    return table((*head, *ratios), [_full_row(full) for full in figures.full])


def _full_row(full: FullLoad) -> list[str]:
    count, ours = len(full.limits), full.ours_per_s
    model = sum(each.model_per_s for each in full.limits) / count
    decode = sum(each.decode_per_s for each in full.limits) / count
    naive = full.naive.per_s if full.naive else None
    rates = [
        model,
        decode,
        full.slower_per_s,
        full.shared_per_s,
        naive,
        full.afternoon_per_s,
        full.afternoon_exact_per_s,
        full.from_memory[0],
    ]
    others = [full.slower_per_s, full.shared_per_s, naive, full.afternoon_per_s, full.afternoon_exact_per_s]
    ratios = [_ratio(ours / other if other else None) for other in others]
    return [full.name, *map(_rate, rates), f"**{ours:.1f}**", *ratios]


def cpu_table(figures: Figures) -> str:
    """CPU time of an image: what decoding and model cost alone, and what each contender takes for everything."""

    def milliseconds(seconds: Sequence[float]) -> str:
        return f"{1000 * mean(seconds):.1f}" if seconds else "-"

    rows = []
    for full in figures.full:
        alone = (
            [each.decode_cpu_s for each in full.limits],
            [each.model_cpu_s for each in full.limits],
            [each.cpu_s for each in full.limits],
        )
        contenders = ([full.naive] if full.naive else [], full.afternoon, full.afternoon_exact, full.ours)
        spent = [[each.cpu_s_per_event for each in rounds] for rounds in contenders]
        rows.append([full.name, *map(milliseconds, (*alone, *spent))])
    head = ("CPU-ms of an image", "decoding alone", "model alone", "both", "naive", "afternoon", "afternoon, exact")
    return table((*head, "sluicegate"), rows)


def spent_table(figures: Figures) -> str:
    """Who spends the CPU time of an image."""
    rows = []
    for full in figures.full:
        rounds = {"afternoon peer": full.afternoon, "afternoon peer, exact": full.afternoon_exact}
        for name, done in (rounds | {"sluicegate": full.ours}).items():
            if done:
                main = mean(each.main_cpu_s_per_event for each in done)
                children = mean(each.children_cpu_s_per_event for each in done)
                all_s = mean(each.cpu_s_per_event for each in done)
                spent = (main, all_s - main - children, children, all_s)
                rows.append([f"{name}, {full.name}", *(f"{1000 * seconds:.2f}" for seconds in spent)])
    return table(("CPU-ms of an image", "event loop", "other threads", "decoding processes", "all"), rows)


def engine_table(figures: Figures) -> str:
    """The model alone, by batch."""
    rows = []
    for full in figures.full:
        last = full.limits[-1]
        speeds = ", ".join(f"{size}: {rate:.1f}" for size, rate in last.batches.items())
        rows.append([full.name, f"{last.runtime} on {last.device}", speeds])
    return table(("case", "engine", "images/s by batch"), rows)


def half_table(figures: Figures) -> str:
    """Latency at half load."""
    return table(
        ("at half load", "offered/s", "p50 ms", "p99 ms", "uploads", "generator late, ms"),
        [
            [
                name,
                _rate(each.offered_per_s),
                _ms(each.p50_s),
                _ms(each.p99_s),
                str(each.events),
                _ms(each.generator_late_s),
            ]
            for name, each in figures.half.items()
        ],
    )


def curve_table(curves: Sequence[Curve]) -> str:
    """p50 / p99 in milliseconds, by load."""
    shares = max((curve.shares for curve in curves), key=len)
    rows = []
    for curve in curves:
        cells = [f"{_ms(point.p50_s)} / {_ms(point.p99_s)}" for point in curve.points]
        rows.append([_curve_name(curve), *cells, *["-"] * (len(shares) - len(cells))])
    return table(("p50 / p99, ms", *(f"{share:.0%}" for share in shares)), rows)


def lag_table(figures: Figures) -> str:
    """The event loop at full load."""
    return table(
        ("at full load", "events/s", "p50 ms", "p99 ms", "worst ms", "looks"),
        [
            [name, _rate(lag.per_s), _ms(lag.p50_s), _ms(lag.p99_s), _ms(lag.worst_s), str(lag.samples)]
            for name, lag in figures.lags.items()
        ],
    )


def loss_table(figures: Figures) -> str:
    """After a kill."""
    return table(
        ("killed in the middle", "uploads", "without verdict", "of them undecodable", "verdicts given twice"),
        [
            [name, str(each.uploads), str(each.without_verdict), str(each.broken_without_verdict), str(each.repeated)]
            for name, each in figures.losses.items()
        ],
    )


def overhead_table(figures: Figures) -> str:
    """Microseconds of CPU for one event, by stage."""
    stages = list(dict.fromkeys(stage for each in figures.overhead.values() for stage in each.stages))
    rows = [[stage, *(f"{each.stages.get(stage, 0):.0f}" for each in figures.overhead.values())] for stage in stages]
    total = ["**all**", *(f"**{each.us:.0f}**" for each in figures.overhead.values())]
    return table(("µs of CPU for one event", *figures.overhead), [*rows, total])


def scale_table(figures: Figures) -> str:
    """Processes and partitions."""
    return table(
        ("processes x cores", "partitions", "events/s", "CPU-s per million", "memory"),
        [
            [
                f"{each.processes} x {each.cores_each}",
                str(each.partitions),
                _rate(each.throughput.per_s),
                f"{each.throughput.cpu_s_per_event * MILLION:,.0f}",
                f"{each.throughput.memory_bytes / MEBIBYTE:,.0f} MiB",
            ]
            for each in figures.scale
        ],
    )


def size_table(figures: Figures) -> str:
    """Inputs of all sizes."""
    return table(
        (
            "input",
            "model alone",
            "decoding alone",
            "limit",
            "shared limit",
            "sluicegate",
            "of limit",
            "of shared limit",
        ),
        [
            [
                each.name,
                *(_rate(rate) for rate in (each.limit.model_per_s, each.limit.decode_per_s)),
                *(_rate(rate) for rate in (each.limit.slower_per_s, each.limit.shared_per_s, each.ours.per_s)),
                _ratio(each.ours.per_s / each.limit.slower_per_s),
                _ratio(each.ours.per_s / each.limit.shared_per_s),
            ]
            for each in figures.sizes
        ],
    )


def distance_table(figures: Figures) -> str:
    """Images from S3."""
    nearest = figures.distances[0].per_s
    return table(
        ("S3 answers after", "fetches at a time", "events/s", "of those without delay"),
        [
            [f"{each.delay_s * 1000:.0f} ms", str(each.fetches), _rate(each.per_s), _ratio(each.per_s / nearest)]
            for each in figures.distances
        ],
    )


def cold_table(figures: Figures) -> str:
    """Start to first verdict."""
    return table(("cold start", "first verdict after"), [[name, f"{s:.1f} s"] for name, s in figures.cold_s.items()])


def batch_time_text(full: FullLoad) -> str:
    """The time of a full batch, which latencies are measured against."""
    return f"{full.name}: {BATCH} frames take the model alone {_ms(full.limits[-1].full_batch_s)} ms, on all cores"


def need_table(figures: Figures) -> str:
    """What rates of uploads take."""
    head = ("", "uploads/s", "replicas", "partitions", "cores busy", "memory", "Kafka, references", "Kafka, inline")
    rows = [
        [
            name,
            f"{each.uploads_per_s:,.0f}",
            f"{each.replicas:,}",
            f"{each.partitions:,}",
            f"{each.cores:,.0f}",
            f"{each.memory_bytes / GIGABYTE:,.0f} GB",
            f"{each.referring_bytes_per_s / MILLION:,.1f} MB/s",
            f"{each.inline_bytes_per_s / MILLION:,.0f} MB/s",
            f"{each.store_bytes_per_s / MILLION:,.0f} MB/s",
            f"{each.log_bytes_per_day / GIGABYTE:,.0f} GB",
            f"{each.inline_log_bytes_per_day / GIGABYTE:,.0f} GB",
        ]
        for name, needs in figures.needs.items()
        for each in needs
    ]
    return table((*head, "store out", "log a day, references", "log a day, inline"), rows)


def sizing_table(figures: Figures) -> str:
    """What one replica is planned for, and how many a rate takes."""
    rows = []
    for full in figures.full:
        planned = HEADROOM * full.ours_per_s
        daily = planned * SECONDS_PER_DAY / MILLION
        needed = devices(RATES[0], full.ours_per_s)
        rows.append([full.name, _rate(full.ours_per_s), _rate(planned), f"{daily:.1f} million", f"{needed:,}"])
    head = ("model, images", "events/s", "planned", "uploads a day, evenly spread", f"replicas for {RATES[0]:,}/s")
    return table(head, rows)


def device_table(figures: Figures) -> str:
    """GPUs at the goal for one, which nobody has measured; and what they need beside them, which was measured."""
    head, rows = ["uploads/s", "GPUs"], [[f"{rate:,}", f"{devices(rate, GPU_GOAL_PER_S):,}"] for rate in RATES]
    for full in figures.full:
        head += [f"processes, {full.name}", f"cores to decode, {full.name}"]
        loop_s = mean(each.main_cpu_s_per_event for each in full.ours)
        decode_s = mean(each.decode_cpu_s for each in full.limits)
        for row, rate in zip(rows, RATES, strict=True):
            row += [f"{devices(rate, 1 / loop_s):,}", f"{rate * decode_s / HEADROOM:,.0f}"]
    return table(head, rows)


def _curve_name(curve: Curve) -> str:
    return f"{curve.name}, {curve.wait_s * 1000:.0f} ms"


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f}" if seconds < 0.01 else f"{seconds * 1000:,.0f}"  # noqa: PLR2004 - two digits at least
