"""host/recipes/augmentation.h and kernels/augment_pictures.h: what pictures go through before the discriminator."""

import torch

from .recipe import Draw

DRAWS = 11  # of each picture
SIGN_SHARE, ADAPT_PICTURES, MOST_ADAPTED = 0.25, 100_000, 0.8


def places(draws, count):
    """Which of `count` places each draw means."""
    return (draws * count).floor().clamp(max=count - 1).long()


class Changes:
    """Those of a policy, on pictures [N,C,H,W]."""

    def __init__(self, picture, is_full):
        height, width = picture[1:]
        self.shifts = (height // 8, width // 8)
        self.holes = (height // 4, width // 4) if is_full else (height * 3 // 16, width * 3 // 16)
        self.mirrors = is_full
        self.brightness, self.saturation, self.contrast = (0.5, 1.0, 0.5) if is_full else (0.3, 0.6, 0.3)

    def __call__(self, pictures, draws, probability):
        is_coloured = draws[:, 7] < probability
        coloured = torch.where(is_coloured.reshape(-1, 1, 1, 1), self.coloured(pictures, draws), pictures)
        return torch.stack([self.placed(picture, its, probability) for picture, its in zip(coloured, draws)])

    def coloured(self, pictures, draws):
        def strengths(number, most):
            return (most * (2 * draws[:, number] - 1)).to(pictures.dtype).reshape(-1, 1, 1, 1)

        count = 1 if pictures.shape[1] < 3 else 3
        x = pictures[:, :count] + strengths(8, self.brightness)
        grey = x.mean(1, keepdim=True)
        x = grey + (x - grey) * (1 + strengths(9, self.saturation))
        mean = x.mean((1, 2, 3), keepdim=True)
        return torch.cat([mean + (x - mean) * (1 + strengths(10, self.contrast)), pictures[:, count:]], 1)

    def placed(self, picture, draws, probability):
        height, width = picture.shape[1:]
        rows, columns = torch.arange(height), torch.arange(width)
        is_kept = torch.ones(height, width, dtype=torch.bool)
        if draws[4] < probability and all(self.holes):
            in_rows = (rows - places(draws[5], height)).abs() < self.holes[0]
            is_kept &= ~(in_rows[:, None] & ((columns - places(draws[6], width)).abs() < self.holes[1]))
        if draws[0] < probability:
            rows = rows - (places(draws[1], 2 * self.shifts[0] + 1) - self.shifts[0])
            columns = columns - (places(draws[2], 2 * self.shifts[1] + 1) - self.shifts[1])
        is_kept &= ((rows >= 0) & (rows < height))[:, None] & (columns >= 0) & (columns < width)
        if self.mirrors and draws[3] < probability / 2:
            columns = width - 1 - columns
        return picture[:, rows.clamp(0, height - 1)][:, :, columns.clamp(0, width - 1)] * is_kept


class Augmentation:
    """A recipe's, with the probability where it has got to."""

    def __init__(self, config):
        policy = config["augment.policy"]
        self.is_on, self.flips = policy != "none", config["augment.flip"]
        self.schedule, self.step = config.schedule("augment.probability"), 0
        self.is_adaptive, self.target = self.is_on and config["augment.adaptive"], config["augment.target"]
        self.is_relativistic, self.rate = config["loss.kind"] == "relativistic", config["train.batch"] / ADAPT_PICTURES
        self.changes = Changes(config.picture(), policy == "full")
        self.probability, self.sign, self.newest = self.schedule.at(0), self.target, None

    # --- draws, before those whose pictures they change ---

    def draws(self, draw, name, pictures=1):
        """pictures: a row of the batch has so many."""
        return [Draw(name, lambda count: draw.shares(pictures * count, DRAWS))] if self.is_on else []

    def mirror_draws(self, draw, name):
        return [Draw(name + "_mirror", lambda count: draw.shares(count, DRAWS))] if self.flips else []

    # --- pictures ---

    def augmented(self, pictures, draws, name, at=slice(None), begin=0, count=None):
        """at: which of the batch they are; the batch's draws are the `count` from row `begin` on."""
        if not self.is_on:
            return pictures
        probability = self.probability if self.is_adaptive else self.schedule.at(self.step)
        end = None if count is None else begin + count
        return self.changes(pictures, draws[name][begin:end][at], probability)

    def mirrored(self, pictures, draws, name, at=slice(None)):
        if not self.flips:
            return pictures
        is_mirrored = draws[name + "_mirror"][at][:, 3] < 0.5
        return torch.where(is_mirrored.reshape(-1, 1, 1, 1), pictures.flip(3), pictures)

    # --- the probability ---

    def see(self, real, fake):
        """Logits in float64, by which adapt() goes."""
        self.newest = (real - fake if self.is_relativistic else real).detach()

    def adapt(self):
        if self.is_adaptive:
            sign = 2 * (self.newest > 0).double().mean().item() - 1
            self.sign += SIGN_SHARE * (sign - self.sign)
            self.probability += self.rate if self.sign > self.target else -self.rate
            self.probability = min(max(self.probability, 0), MOST_ADAPTED)

    def state(self):
        numbers = {"augment/sign": self.sign, "augment/probability": self.probability} if self.is_adaptive else {}
        return {name: torch.tensor([number]) for name, number in numbers.items()}
