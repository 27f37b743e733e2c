"""A garment cut from a photograph of it lying flat, in a frame, with the points by which it is worn."""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

FINE = 4  # pixels of what is drawn and warped for each of a picture that is written
SIDE = 128  # to which a photograph is brought to be cut
LONG_SLEEVED = ("longsleeve", "outwear", "shirt")


@dataclass
class Garment:
    name: str                # the photograph's
    colours: np.ndarray      # f32 [FINE H, FINE W, 3] in 0..1, blue first as in OpenCV
    opacity: np.ndarray      # f32 [FINE H, FINE W] in 0..1
    box: tuple               # left, top, right, bottom in pixels of the picture, as all below
    middle: float            # column of the torso's middle
    torso: float             # half the torso's width
    sleeves: list            # left, right: the sleeve's tip (column, row), or None
    has_long_sleeves: bool

    def shoulder(self, side):
        """Where the sleeve of a side (-1 left, 1 right) turns."""
        return np.array([self.middle + side * 0.92 * self.torso, self.box[1] + 0.12 * (self.box[3] - self.box[1])])

    def picture(self):
        """u8 [H,W,4], as it is written."""
        height, width = self.opacity.shape
        size = (width // FINE, height // FINE)
        opacity = cv2.resize(self.opacity, size, interpolation=cv2.INTER_AREA)
        weighed = cv2.resize(self.colours * self.opacity[..., None], size, interpolation=cv2.INTER_AREA)
        colours = np.where(opacity[..., None] > 1e-3, weighed / np.maximum(opacity, 1e-3)[..., None], 1.0)
        return np.rint(255 * np.clip(np.dstack([colours, opacity]), 0, 1)).astype(np.uint8)


def largest_part(mask):
    count, parts, figures, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count < 2:
        return np.zeros_like(mask)
    return (parts == 1 + np.argmax(figures[1:, cv2.CC_STAT_AREA])).astype(np.uint8)


def why_no_garment(mask):
    """What speaks against a mask of SIDE pixels a side, or nothing. The bounds are those at which most cuts that keep
    only a print, or the ground as well, are left out."""
    area = int(mask.sum())
    if not 0.25 <= area / mask.size <= 0.70:
        return "area"
    left, top, width, height = cv2.boundingRect(mask)
    if height <= 70:
        return "height"
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = cv2.contourArea(cv2.convexHull(max(outlines, key=cv2.contourArea)))
    if area / max(hull, 1.0) <= 0.7:
        return "solidity"
    if area / (width * height) <= 0.45:
        return "fill"
    its = mask[top:top + height, left:left + width]
    if (its & its[:, ::-1]).sum() / (its | its[:, ::-1]).sum() <= 0.75:
        return "asymmetry"
    return None


def cut(photograph, seed):
    """The garment's mask, u8 0 or 1, by GrabCut from a rectangle 6 pixels in (Rother, Kolmogorov & Blake, 2004)."""
    cv2.setRNGSeed(seed)  # of the mixtures' first means
    mask = np.zeros(photograph.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(photograph, mask, (6, 6, SIDE - 12, SIDE - 12), *models, 3, cv2.GC_INIT_WITH_RECT)
    mask = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    mask = largest_part(mask)
    holes = largest_part(1 - np.pad(mask, 1))[1:-1, 1:-1]  # the ground around it; what else is not of the mask is a hole
    return 1 - holes if holes.any() else mask


def torso_of(mask):
    """Middle column and half width of what hangs straight: of the narrow rows below the armpits."""
    left, top, width, height = cv2.boundingRect(mask)
    runs = []
    for row in range(top + int(0.45 * height), top + int(0.95 * height)):
        columns = np.flatnonzero(np.diff(np.pad(mask[row], 1).astype(np.int8)))
        pieces = columns.reshape(-1, 2)
        widest = pieces[np.argmax(pieces[:, 1] - pieces[:, 0])]
        runs.append((widest[1] - widest[0], (widest[0] + widest[1]) / 2))
    runs.sort()
    chosen = runs[len(runs) // 8:len(runs) // 2 + 1]
    return float(np.median([run[1] for run in chosen])), float(np.median([run[0] for run in chosen])) / 2


def sleeve_tip(mask, middle, torso, side, shoulder):
    """The point of the mask beside the torso that is farthest from the shoulder."""
    rows, columns = np.nonzero(mask)
    is_beside = side * (columns - middle) > 1.08 * torso
    if is_beside.sum() < 0.012 * mask.sum():
        return None
    points = np.stack([columns[is_beside], rows[is_beside]], 1).astype(float)
    far = np.hypot(*(points - shoulder).T)
    return points[far >= np.quantile(far, 0.9)].mean(0)


def cut_garment(file, label, height, width, seed):
    """The garment of a file in a frame of height x width, or why there is none."""
    photograph = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if photograph is None:
        return "unreadable"
    if photograph.shape[:2] != (SIDE, SIDE):
        photograph = cv2.resize(photograph, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    mask = cut(photograph, seed)
    fault = why_no_garment(mask)
    if fault:
        return fault

    left, top, its_width, its_height = cv2.boundingRect(mask)
    scale = min(0.92 * width / its_width, 0.86 * height / its_height)
    # From the frame's pixels to the photograph's: the box in the frame's middle.
    at = np.array([(left + its_width / 2) - width / 2 / scale, (top + its_height / 2) - height / 2 / scale])
    to_photograph = np.array([[1 / scale / FINE, 0, at[0] + 0.5 / scale / FINE - 0.5],
                              [0, 1 / scale / FINE, at[1] + 0.5 / scale / FINE - 0.5]])

    def framed(picture, edge, how):
        return cv2.warpAffine(picture, to_photograph, (FINE * width, FINE * height),
                              flags=how | cv2.WARP_INVERSE_MAP, borderMode=edge)

    colours = framed(photograph, cv2.BORDER_REPLICATE, cv2.INTER_CUBIC).astype(np.float32) / 255
    smooth = cv2.GaussianBlur(framed(mask.astype(np.float32), cv2.BORDER_CONSTANT, cv2.INTER_LINEAR), (0, 0), 3)
    opacity = np.clip(2 * smooth - 0.7, 0, 1)  # a little inside, where no ground shines through

    its = cv2.resize(opacity, (width, height), interpolation=cv2.INTER_AREA)
    its = (its > 0.5).astype(np.uint8)
    left, top, its_width, its_height = cv2.boundingRect(its)
    middle, torso = torso_of(its)
    garment = Garment(Path(file).name, colours, opacity, (left, top, left + its_width, top + its_height), middle, torso,
                      [None, None], False)
    garment.sleeves = [sleeve_tip(its, middle, torso, side, garment.shoulder(side)) for side in (-1, 1)]
    reach = [math.dist(tip, garment.shoulder(side)) for side, tip in zip((-1, 1), garment.sleeves) if tip is not None]
    garment.has_long_sleeves = label in LONG_SLEEVED and bool(reach) and max(reach) > 0.45 * its_height
    return garment
