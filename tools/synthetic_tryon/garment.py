"""A garment cut from a photograph of it lying flat, put in a frame, with the points by which it is worn."""

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

FINE = 4  # pixels of what is drawn and warped for each of a picture that is written
SIDE = 128  # to which a photograph is brought to be cut
LONG_SLEEVED = ("longsleeve", "outwear", "shirt")
MOST_STRETCH, MOST_TILT = math.log(1.12), math.radians(4)  # of a garment as it lies; see varied_shape


@dataclass
class Cut:
    name: str               # the photograph's
    label: str
    photograph: np.ndarray  # u8 [SIDE,SIDE,3], blue first as in OpenCV
    mask: np.ndarray        # u8 [SIDE,SIDE], 0 or 1


@dataclass
class Garment:
    colours: np.ndarray      # f32 [FINE H, FINE W, 3] in 0..1, blue first
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
    """Middle column and half width of what hangs straight: of the narrow rows below the armpits. Of a row counts the piece that
    the garment's middle lies in, for the lowest rows of a short one are cuffs alone; or the widest, where none lies there. What is
    much narrower than the rest is a knot or a tip of the hem."""
    left, top, width, height = cv2.boundingRect(mask)
    middle = np.nonzero(mask)[1].mean()
    runs, widest = [], []
    for row in range(top + int(0.45 * height), top + int(0.95 * height)):
        columns = np.flatnonzero(np.diff(np.pad(mask[row], 1).astype(np.int8)))
        pieces = [(last - first, (first + last) / 2) for first, last in columns.reshape(-1, 2)]
        if pieces:  # none between two parts of a garment that hardly hang together
            widest.append(max(pieces))
            runs += [piece for piece in pieces if abs(piece[1] - middle) <= piece[0] / 2]
    runs = sorted(runs or widest)
    runs = [run for run in runs if run[0] > 0.4 * runs[-1][0]]
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


def cut_garment(file, label, seed):
    """The garment of a file, or why there is none."""
    photograph = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if photograph is None:
        return "unreadable"
    if photograph.shape[:2] != (SIDE, SIDE):
        photograph = cv2.resize(photograph, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    mask = cut(photograph, seed)
    return why_no_garment(mask) or Cut(Path(file).name, label, photograph, mask)


def varied_shape(random):
    """[2,2]: as if another garment lay there, some percent wider or narrower than this one and a little askew."""
    stretch, tilt = math.exp(random.uniform(-MOST_STRETCH, MOST_STRETCH)), random.uniform(-MOST_TILT, MOST_TILT)
    return np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]]) @ np.diag([stretch, 1])


def framed_garment(cut, height, width, shape=None):
    """The garment in the middle of a frame of height x width, as large as it can be; `shape`, [2,2], is laid on it before."""
    shape = np.eye(2) if shape is None else shape
    rows, columns = np.nonzero(cut.mask)
    corners = np.stack([np.concatenate([columns + x for x in (0, 0, 1, 1)]), np.concatenate([rows + y for y in (0, 1, 0, 1)])])
    first, last = (each(shape @ corners, axis=1) for each in (np.min, np.max))
    scale = min(0.92 * width / (last[0] - first[0]), 0.86 * height / (last[1] - first[1]))
    # From the frame's pixels to the photograph's: the middle of what the box became to the frame's.
    unshaped = np.linalg.inv(shape)
    back = unshaped / scale
    at = unshaped @ (first + last) / 2 - back @ (width / 2, height / 2)
    to_photograph = np.column_stack([back / FINE, at + back @ (0.5 / FINE, 0.5 / FINE) - 0.5])

    def framed(picture, edge, how):
        return cv2.warpAffine(picture, to_photograph, (FINE * width, FINE * height),
                              flags=how | cv2.WARP_INVERSE_MAP, borderMode=edge)

    colours = framed(cut.photograph, cv2.BORDER_REPLICATE, cv2.INTER_CUBIC).astype(np.float32) / 255
    smooth = cv2.GaussianBlur(framed(cut.mask.astype(np.float32), cv2.BORDER_CONSTANT, cv2.INTER_LINEAR), (0, 0), 3)
    opacity = np.clip(2 * smooth - 0.7, 0, 1)  # a little inside, where no ground shines through

    its = cv2.resize(opacity, (width, height), interpolation=cv2.INTER_AREA)
    its = (its > 0.5).astype(np.uint8)
    left, top, its_width, its_height = cv2.boundingRect(its)
    middle, torso = torso_of(its)
    garment = Garment(colours, opacity, (left, top, left + its_width, top + its_height), middle, torso, [None, None], False)
    garment.sleeves = [sleeve_tip(its, middle, torso, side, garment.shoulder(side)) for side in (-1, 1)]
    reach = [math.dist(tip, garment.shoulder(side)) for side, tip in zip((-1, 1), garment.sleeves) if tip is not None]
    garment.has_long_sleeves = cut.label in LONG_SLEEVED and bool(reach) and max(reach) > 0.45 * its_height
    return garment
