"""What a recipe says of itself. recording.py does the rest.

A recipe has
    networks()      the modules by their names, each with start() and arrays(), and running() where it keeps more than
                    weights (networks/)
    phases(draw)    in the order of a step; `draw` has a function for each kind of rows
    has_labels      whether what it draws has classes
and where it keeps more than weights from step to step
    begin(step)     before each, counted from 0
    state()         behind each: tensors by their names
"""

from dataclasses import dataclass, field
from typing import Callable, Optional

from ..configuration import Schedule


@dataclass
class Draw:
    """A batch that a phase draws: pictures, labels or noise. `rows`: so many of them. `passes`: from (networks, rows, draws,
    places) to the values that go into kinks on the ways along which gradients pass from these rows, a row each; `places`:
    which of the batch they are, for what else is drawn of the same rows. None where no gradient passes a kink. mixes_rows:
    what one row comes to depends on the others, so that all are looked at whenever one is drawn anew."""
    name: str
    rows: Callable
    passes: Optional[Callable] = None
    mixes_rows: bool = False


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
    behind: Callable = lambda: None  # called when the networks are updated

    def runs_at(self, step):
        return step % self.every == 0
