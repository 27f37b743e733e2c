"""The networks of engine/models as PyTorch's users write them. Each says by `arrays` what Duel calls its parameters."""
