"""Training steps in plain PyTorch, written down for `duel parity`. tools/record_pytorch.py is the command.

  configuration.py   every key's value, as the program itself reads a configuration; schedules
  arrays.py          how Duel's arrays lie, and PyTorch's parameters in their place
  networks/          a file for each of engine/models
  recipes/           a file for each of host/recipes: its phases, what they draw, and their losses
  recording.py       what all recipes have in common: draws, updates, and what is written down of them
"""
