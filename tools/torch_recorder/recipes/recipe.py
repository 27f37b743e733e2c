"""What a recipe says of itself. recording.py does the rest.

A recipe has
    networks()      the modules by their names, each with start() and arrays() (networks/)
    phases(draw)    in the order of a step; `draw` has a function for each kind of rows
    has_labels      whether what it draws has classes
"""

from dataclasses import dataclass, field
from typing import Callable, Optional

from ..configuration import Schedule


@dataclass
class Draw:
    """A batch that a phase draws: pictures, labels or noise. `rows`: so many of them. `passes`: from (networks, rows, draws,
    places) to the values that go into kinks on the ways along which gradients pass from these rows, a row each; `places`:
    which of the batch they are, for what else is drawn of the same rows. None where no gradient passes a kink."""
    name: str
    rows: Callable
    passes: Optional[Callable] = None


@dataclass
class Phase:
    """loss: from (networks, draws, step) to a number; `step` counts from 0, as schedules do."""
    name: str
    updates: tuple
    loss_name: str
    draws: list
    loss: Callable
    learning_rate: Schedule
    every: int = 1
    averages: dict = field(default_factory=dict)  # network: the decay, a Schedule

    def runs_at(self, step):
        return step % self.every == 0
