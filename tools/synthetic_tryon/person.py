"""A drawn person: what stays the same (skin, hair, widths, trousers, ground) and a pose of it, as parts that are drawn one
over the other. All lengths are shares of the picture's height H; the picture is H high and 2/3 H wide."""

import functools
import math
from dataclasses import dataclass

import cv2
import numpy as np

# Parts of a body map, blue first.
PART_COLOURS = {"head": (0, 0, 255), "torso": (0, 255, 0), "legs": (255, 0, 0), "left_arm": (0, 255, 255),
                "right_arm": (255, 0, 255)}
GREY = 0.5  # of the torso of a person who is to be dressed
SKINS = ((255, 224, 196), (240, 200, 165), (224, 172, 130), (198, 134, 92), (141, 85, 54), (92, 57, 40))
HAIRS = ((30, 24, 20), (70, 45, 28), (120, 80, 45), (190, 150, 90), (150, 60, 30), (130, 130, 130))


def colour(rgb):
    return np.array(rgb[::-1], np.float32) / 255


@dataclass
class Person:
    skin: np.ndarray
    hair: np.ndarray
    trousers: np.ndarray
    ground: np.ndarray
    shoulder: float   # half widths
    waist: float
    hip: float
    head: float       # radius
    arm: float        # half the thickness of an upper arm
    upper_arm: float  # lengths
    forearm: float
    has_long_hair: bool


def draw_person(random):
    def near(rgbs, spread):
        return np.clip(colour(rgbs[random.integers(len(rgbs))]) + random.uniform(-spread, spread, 3), 0, 1).astype(np.float32)

    shoulder = random.uniform(0.115, 0.150)
    waist = shoulder * random.uniform(0.74, 0.95)
    trousers = near(((35, 40, 60), (60, 80, 120), (40, 40, 40), (110, 90, 70), (150, 140, 125), (70, 30, 40)), 0.06)
    ground = np.clip(random.uniform(0.78, 0.97) + random.uniform(-0.05, 0.05, 3), 0, 1).astype(np.float32)
    return Person(near(SKINS, 0.03), near(HAIRS, 0.03), trousers, ground, shoulder, waist,
                  waist * random.uniform(1.02, 1.22), random.uniform(0.064, 0.078), random.uniform(0.024, 0.034),
                  random.uniform(0.165, 0.195), random.uniform(0.155, 0.185), bool(random.random() < 0.45))


@dataclass
class Pose:
    neck: np.ndarray       # (column, row) where the shoulders' line crosses the body's middle
    hips: np.ndarray
    shoulders: list        # left, right
    elbows: list
    wrists: list
    upper_angles: list     # outwards from hanging straight down, in radians


def draw_pose(person, random):
    middle = 1 / 3 + random.uniform(-0.025, 0.025)
    neck = np.array([middle, random.uniform(0.235, 0.265)])
    hips = np.array([middle + random.uniform(-0.03, 0.03), neck[1] + random.uniform(0.36, 0.41)])
    tilt = random.uniform(-0.06, 0.06)
    pose = Pose(neck, hips, [], [], [], [])
    for side in (-1, 1):
        shoulder = neck + np.array([side * person.shoulder, 0.012 + side * tilt * person.shoulder])
        upper = math.radians(random.uniform(6, 58))
        bend = math.radians(random.choice([random.uniform(-75, -15), random.uniform(-15, 15), random.uniform(0, 45)]))
        elbow = shoulder + person.upper_arm * np.array([side * math.sin(upper), math.cos(upper)])
        wrist = elbow + person.forearm * np.array([side * math.sin(upper + bend), math.cos(upper + bend)])
        pose.shoulders.append(shoulder)
        pose.elbows.append(elbow)
        pose.wrists.append(wrist)
        pose.upper_angles.append(upper)
    return pose


class Layer:
    """Masks of parts, f32 [h,w] in 0..1, drawn at `scale` pixels for a length of 1."""

    def __init__(self, height, width):
        self.size, self.scale = (height, width), height

    def points(self, points):
        return np.rint(np.asarray(points) * self.scale * 16).astype(np.int32)

    def polygon(self, points):
        mask = np.zeros(self.size, np.uint8)
        cv2.fillPoly(mask, [self.points(points)], 255, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / 255

    def limb(self, a, b, thick, thin):
        """Two discs and what lies between them."""
        along = np.asarray(b) - np.asarray(a)
        normal = np.array([-along[1], along[0]]) / max(np.hypot(*along), 1e-9)
        mask = self.polygon([a + thick * normal, b + thin * normal, b - thin * normal, a - thick * normal])
        return united(mask, self.disc(a, thick), self.disc(b, thin))

    def disc(self, centre, radius, squeeze=1.0):
        mask = np.zeros(self.size, np.uint8)
        column, row = (int(round(float(x) * self.scale * 16)) for x in centre)
        axes = int(round(radius * squeeze * self.scale * 16)), int(round(radius * self.scale * 16))
        cv2.ellipse(mask, (column, row), axes, 0, 0, 360, 255, -1, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / 255


def united(*masks):
    """Where any of the masks is. (np.maximum.reduce copies all of them first, and takes six times as long.)"""
    return functools.reduce(np.maximum, masks)


def laid_over(picture, mask, paint):
    """`paint`: a colour, or a picture. Most masks are small, so it is computed in their box alone."""
    paint = np.asarray(paint)
    left, top, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
    box = slice(top, top + height), slice(left, left + width)
    result = picture.astype(np.result_type(picture, mask, paint))
    part = mask[box][..., None] if picture.ndim == 3 else mask[box]
    result[box] = picture[box] * (1 - part) + part * (paint[box] if paint.ndim > 1 else paint)
    return result


class Body:
    """The masks of a person in a pose."""

    def __init__(self, person, pose, height, width):
        layer = self.layer = Layer(height, width)
        neck, hips = pose.neck, pose.hips
        waist = neck + 0.62 * (hips - neck)
        left, right = pose.shoulders
        self.torso = layer.polygon([left + (0.01, -0.012), neck + (-0.03, -0.03), neck + (0.03, -0.03), right + (-0.01, -0.012),
                                    right + (0.008, 0.03), waist + (person.waist, 0), hips + (person.hip, 0.02),
                                    hips + (-person.hip, 0.02), waist + (-person.waist, 0), left + (-0.008, 0.03)])
        leg = hips[1] + 0.55
        gap = 0.010
        self.legs = united(
            layer.polygon([hips + (-person.hip, -0.012), hips + (gap, -0.012), hips + (-gap, 0.13), (hips[0] - 0.35 * person.hip, leg),
                           (hips[0] - 1.06 * person.hip, leg)]),
            layer.polygon([hips + (person.hip, -0.012), hips + (-gap, -0.012), hips + (gap, 0.13), (hips[0] + 0.35 * person.hip, leg),
                           (hips[0] + 1.06 * person.hip, leg)]))
        centre = self.centre = neck + np.array([0.0, -0.062 - 0.98 * person.head])
        self.neck = layer.limb(centre, neck + (0, -0.012), 0.030, 0.034)
        self.head = layer.disc(centre, 1.12 * person.head, 0.82)
        self.upper_arms, self.forearms, self.hands = [], [], []
        for side in range(2):
            shoulder, elbow, wrist = pose.shoulders[side], pose.elbows[side], pose.wrists[side]
            along = (wrist - elbow) / np.hypot(*(wrist - elbow))
            thick = person.arm
            self.upper_arms.append(layer.limb(shoulder + ((1 - 2 * side) * 0.7 * thick, 0.6 * thick), elbow, thick, 0.84 * thick))
            self.forearms.append(layer.limb(elbow, wrist, 0.84 * thick, 0.62 * thick))
            self.hands.append(united(layer.limb(wrist - 0.012 * along, wrist + 0.014 * along, 0.62 * thick, 0.70 * thick),
                                     layer.disc(wrist + 0.020 * along, 0.74 * thick)))
        # A cap that leaves the face free, and with long hair what falls behind the shoulders.
        face = layer.disc(centre + (0, 0.030), 0.98 * person.head, 0.80)
        crown = layer.disc(centre + (0, -0.008), 1.22 * person.head, 0.90)
        self.hair = crown * (1 - face)
        self.hair *= (np.arange(height)[:, None] < (centre[1] + (0.45 if person.has_long_hair else 0.05) * person.head) * height)
        self.fall = layer.limb(centre, centre + (0, 1.9 * person.head), 1.10 * person.head, 0.95 * person.head)
        self.fall = self.fall if person.has_long_hair else np.zeros_like(self.fall)
        self.eyes = [layer.disc(centre + (side * 0.30 * person.head, 0.10 * person.head), 0.085 * person.head) for side in (-1, 1)]
        self.mouth = layer.disc(centre + (0, 0.62 * person.head), 0.06 * person.head, 3.6)

    def arm(self, side):
        return united(self.upper_arms[side], self.forearms[side], self.hands[side])

    def behind(self, person):
        """Ground, hair behind, arms, neck, legs: all that lies under the torso."""
        height, width = self.layer.size
        picture = np.broadcast_to(person.ground, (height, width, 3)).astype(np.float32)
        picture = laid_over(picture, self.fall, person.hair * 0.85)
        picture = laid_over(picture, self.neck, person.skin * 0.90)
        picture = laid_over(picture, self.legs, person.trousers)
        return picture

    def with_arms(self, picture, person, only="arms"):
        for side in range(2):
            if only == "arms":
                picture = laid_over(picture, self.upper_arms[side], person.skin * 0.95)
            if only in ("arms", "forearms"):
                picture = laid_over(picture, self.forearms[side], person.skin * 0.98)
            picture = laid_over(picture, self.hands[side], person.skin)
        return picture

    def with_head(self, picture, person):
        picture = laid_over(picture, self.head, person.skin)
        picture = laid_over(picture, self.hair, person.hair)
        for eye in self.eyes:
            picture = laid_over(picture, eye, np.float32(0.12))
        return laid_over(picture, self.mouth, person.skin * np.array([0.55, 0.5, 0.75], np.float32))

    def map(self):
        height, width = self.layer.size
        picture = np.zeros((height, width, 3), np.float32)
        for mask, part in ((self.legs, "legs"), (united(self.torso, self.neck), "torso"), (self.arm(0), "left_arm"),
                           (self.arm(1), "right_arm"), (united(self.head, self.hair), "head")):
            picture = laid_over(picture, mask, np.array(PART_COLOURS[part], np.float32) / 255)
        return picture
