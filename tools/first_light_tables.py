"""What first_light.py makes of what it saw: the values that predictions are held against, ncu's rows, and tables."""

import csv
import re

METRICS = {  # of ncu, and what they are called here
    "gpu__time_duration.sum": "us",
    "dram__bytes.sum": "DRAM MB",
    "lts__t_bytes.sum": "L2 MB",
    "sm__inst_executed.sum": "instructions",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "warps %",
}
UNITS = {"ns": 1e-3, "us": 1, "usecond": 1, "nsecond": 1e-3, "ms": 1e3, "msecond": 1e3, "s": 1e6, "second": 1e6,  # to us
         "byte": 1e-6, "Kbyte": 1e-3, "Mbyte": 1, "Gbyte": 1e3}  # to MB
FIGURES = {  # of the probe: what each is, and its unit
    "copy_gigabytes_per_second": ("copy of device memory, read plus written", "GB/s"),
    "l2_cg_gigabytes_per_second": ("reading 16 MB through L2, past L1", "GB/s"),
    "l2_ca_gigabytes_per_second": ("the same through L1 too", "GB/s"),
    "bf16_mma_tflops": ("bf16 products from registers", "TFLOP/s"),
    "node_us": ("an empty node of a graph", "us"),
    "node_overlapped_us": ("the same with programmatic dependent launch", "us"),
    "two_lanes_node_us": ("an empty node on each of two lanes", "us"),
    "handover_us": ("more, where each lane awaits the other", "us"),
}


def short_hash(digest):
    return digest[:16] if digest else "-"


def number(value):
    return "-" if value is None else f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"


def name_of_kernel(text):
    """"duel::product_kernel<64, true>" of "void duel::(anonymous namespace)::product_kernel<64, true>(const float *)"."""
    text = re.sub(r"<unnamed>::|\(anonymous namespace\)::", "", text.removeprefix("void "))
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "<") - (letter == ">")
        if letter == "(" and depth == 0:
            return text[:at]
    return text


def read_counters(table):
    """A row for each launch, in their order, from ncu's CSV: one line for each launch and metric."""
    launches = {}
    for line in csv.DictReader(table.splitlines()):
        try:
            value = float(line["Metric Value"].replace(",", ""))
            row = launches.setdefault(int(line["ID"]), {"kernel": name_of_kernel(line["Kernel Name"]), "grid": line["Grid Size"],
                                                        "block": line["Block Size"]})
            row[METRICS[line["Metric Name"]]] = value * UNITS.get(line["Metric Unit"], 1)
        except (KeyError, ValueError, AttributeError, TypeError):
            continue  # a line of the program's own, or one that a kill cut short
    return [row for _, row in sorted(launches.items())]


def one_period(rows):
    """The first of the steps in a row of launches: up to where the same kernels on the same grids begin anew."""
    launches = [(row["kernel"], row["grid"], row["block"]) for row in rows]
    for length in range(len(launches) // 2 + 1, len(launches) - 4):
        if launches[length:] == launches[:len(launches) - length]:
            return rows[:length]
    return rows


def measured_values(seen):
    """{id: (value, unit)} of all that predictions can be about."""
    values = {}
    for precision, row in (seen.get("steps") or {}).items():
        values[f"step classic {precision}"] = (1e3 * row["ms_median"], "us")
    for precision, row in (seen.get("auto") or {}).items():
        values[f"step classic {precision} auto"] = (1e3 * row["ms_median"], "us")
    for part in ("torch", "compile"):
        for variant, row in (seen.get(part) or {}).items():
            values[f"torch {variant} bf16"] = (1e3 * row["ms_median"], "us")
    for name, (_, unit) in FIGURES.items():
        if name in (seen.get("probe") or {}):
            values[f"probe {name}"] = (seen["probe"][name], unit)
    for row in seen.get("kernels") or []:
        values[f"kernel {row['op']} {row['arrays']}"] = (1e3 * row["ms"], "us")
    for precision, row in (seen.get("steps") or {}).items():
        for op in row.get("operators", []):  # one for each place: the same operator on the same arrays is one row here
            key = f"operator {precision} {' '.join(filter(None, (op['op'], op.get('arrays'))))}"
            values[key] = (values.get(key, (0,))[0] + 1e3 * op["ms"], "us")
    return values


def is_of_the_whole(name):
    return name.split(" ", 1)[0] in ("step", "torch", "probe")


def find_measured(name, measured):
    """The key that a prediction is about: the same, or one that begins so where it ends with dots."""
    if name in measured:
        return name
    if name.endswith("..."):
        found = [key for key in measured if key.startswith(name[:-3].rstrip())]
        return found[0] if len(found) == 1 else None
    return None


def whole(table, *arguments):
    """Lines of a table, or one that says why there is none: a row that is not as it should be costs its table alone."""
    try:
        return list(table(*arguments))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return ["", f"{table.__name__.replace('_', ' ')}: {type(error).__name__}: {error}"]


def step_table(seen):
    for precision, row in (seen.get("steps") or {}).items():
        yield from ("", f"## The step in {precision}: {1e3 * row['ms_median']:.1f} us ({row.get('steps_per_launch')} steps a launch, "
                        f"{row.get('lanes')} lanes)", "", "| operator | where | calls | us | floor us |", "|---|---|---|---|---|")
        for op in row.get("operators", []):
            name = " ".join(filter(None, (op["op"], op.get("arrays"))))
            yield f"| {name} | {op.get('where', '')} | {op.get('calls', 1)} | {1e3 * op['ms']:.2f} | {1e3 * op['floor_ms']:.2f} |"


def kernel_table(seen):
    rows = seen.get("kernels")
    if rows:
        yield from ("", "## Each operator alone, bf16", "", "| operator | arrays | calls | us | GB/s | TFLOP/s | floor us |",
                    "|---|---|---|---|---|---|---|")
    for row in rows or []:
        yield (f"| {row['op']} | {row['arrays']} | {row['calls']} | {1e3 * row['ms']:.2f} | {row['gb_per_s']:.0f} | "
               f"{row['tflop_per_s']:.1f} | {1e3 * row['floor_ms']:.2f} |")


def counter_table(seen):
    columns, rows = list(METRICS.values()), seen.get("counters")
    if rows:
        yield from ("", "## Counters of one eager step, by launch", "", f"| kernel | grid | block | {' | '.join(columns)} |",
                    "|---" * (3 + len(columns)) + "|")
    for row in rows or []:
        yield (f"| {row['kernel'][:90]} | {row['grid']} | {row['block']} | " +
               " | ".join(number(row.get(column)) for column in columns) + " |")
