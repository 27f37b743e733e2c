"""A configuration as the program reads it: presets, files, --set and every check are the program's own, so nothing here
knows a key before a recipe asks for it. What no recipe asks for, and yet differs from the textbook's value, is refused."""

import json
import math
import subprocess

from .refusal import Refusal

USUAL_PRESET = "classic"  # in which all that a recipe may leave out is off
# What changes nothing that a step computes from its draws.
NOT_OF_A_STEP = ("preset", "recipe", "seed", "precision", "device", "threads", "kernels", "data.source",
                 "data.synthetic_count", "train.epochs", "train.evaluate_every", "train.on_nonfinite")
NOT_OF_A_STEP_TABLES = ("schedule.", "output.", "evaluate.")


def told_by(program, *words):
    """What `duel info` prints."""
    command = [str(program), "info", *map(str, words)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refusal(f"{program} tells no configuration ({error}); build it, or name it with --duel PROGRAM") from error
    if done.returncode != 0:
        raise Refusal(done.stderr.strip().removeprefix("duel: "), done.returncode)
    return done.stdout


def flattened(table, keys, prefix=""):
    """{"model": {"latent": 5}} as {"model.latent": 5}; a schedule, which is a value of `keys`, stays as it is."""
    flat = {}
    for name, value in table.items():
        is_table = isinstance(value, dict) and prefix + name not in keys
        flat.update(flattened(value, keys, prefix + name + ".") if is_table else {prefix + name: value})
    return flat


class Configuration:
    """Every key's value; those of a table are written table.key."""

    def __init__(self, program, preset, file, settings):
        words = ["--configuration", *([preset] if preset else []), *(["--config", file] if file else [])]
        words += [word for setting in settings for word in ("--set", setting)]
        self.toml = told_by(program, *words)
        usual = flattened(json.loads(told_by(program, "--json", "--configuration", USUAL_PRESET)), ())
        self.usual = usual
        self.values = flattened(json.loads(told_by(program, "--json", *words)), usual)
        self.asked = set()

    def __getitem__(self, key):
        self.asked.add(key)
        return self.values[key]

    def know(self, *keys):
        """They say nothing about what is recorded."""
        self.asked.update(keys)

    def picture(self):
        """(channels, height, width)"""
        return tuple(self["data.synthetic_" + extent] for extent in ("channels", "height", "width"))

    def schedule(self, key):
        return Schedule(self[key], self["train.steps"], self["train.batch"])

    def refuse_what_was_not_asked(self):
        for key, value in self.values.items():
            is_of_a_step = key not in NOT_OF_A_STEP and not key.startswith(NOT_OF_A_STEP_TABLES)
            if is_of_a_step and key not in self.asked and value != self.usual[key]:
                raise Refusal(f"{key} = {json.dumps(value)} is not recorded for the recipe {self.values['recipe']}; "
                              f"{json.dumps(self.usual[key])} is")


class Schedule:
    """A number that may change with the step, as host/config/schedule_option.h and kernels/schedule.h say."""

    def __init__(self, value, steps, batch):
        fields = value if isinstance(value, dict) else {"from": value}
        self.start, self.end = fields.get("from", 0.0), fields.get("to", fields.get("from", 0.0))
        self.shape = fields.get("shape", "constant")

        def steps_of(extent):
            return math.floor(extent * steps + 0.5) if extent <= 1 else int(extent)

        begin, until = fields.get("begin", 0), fields.get("until", 1)
        self.begin, self.until = steps_of(begin), steps_of(until)
        if begin <= 1 and until <= 1:
            self.until = max(self.until, self.begin + 1)
        self.warmup, self.burn_in = steps_of(fields.get("warmup", 0)), steps_of(fields.get("burn_in", 0))
        if self.shape == "half_life":
            self.start = 0.5 ** (batch / fields["half_life"])

    def is_zero(self):
        return self.shape == "constant" and self.start == 0

    def at(self, step):
        """`step` counts from 0."""
        value = self.start
        if self.shape in ("linear", "cosine", "exponential"):
            share = min(1.0, max(0.0, (step - self.begin) / (self.until - self.begin)))
            value = {"linear": lambda: self.start + (self.end - self.start) * share,
                     "cosine": lambda: self.end + (self.start - self.end) * (1 + math.cos(math.pi * share)) / 2,
                     "exponential": lambda: self.start * (self.end / self.start) ** share}[self.shape]()
        if self.burn_in > 0:
            value = min(value, step / (step + self.burn_in))
        return value * step / self.warmup if step < self.warmup else value
