"""A person wearing a garment: the warp, the shading, and the pictures of a row.

The warp is a thin-plate spline (Bookstein, 1989) from 5x5 points on the person, where those of a grid over the garment come to
lie, back to that grid: the torso's three columns follow the torso, the outer ones turn with the arms about the shoulders.
"""

import math

import cv2
import numpy as np

from .garment import FINE
from .person import GREY, Body, laid_over, united

MOST_TURN = math.radians(30)  # of a sleeve; more would fold what lies under the arm
FLOW_LOW, FLOW_HIGH, FLOW_STEPS = -0.5, 1.5, 4095  # of the garment picture's width and height; see written_flow


def spline(points, values):
    """f with f(points[i]) = values[i], both [n,2]."""
    def kernel(a, b):
        squares = ((a[:, None, :] - b[None, :, :]) ** 2).sum(2)
        return squares * np.log(np.maximum(squares, 1e-12))

    count = len(points)
    ones = np.concatenate([np.ones((count, 1)), points], 1)
    system = np.block([[kernel(points, points), ones], [ones.T, np.zeros((3, 3))]])
    weights = np.linalg.solve(system, np.concatenate([values, np.zeros((3, 2))]))
    return lambda x: kernel(x, points) @ weights[:count] + np.concatenate([np.ones((len(x), 1)), x], 1) @ weights[count:]


def turned(point, centre, angle):
    cosine, sine = math.cos(angle), math.sin(angle)
    x, y = point - centre
    return centre + np.array([cosine * x - sine * y, sine * x + cosine * y])


def hanging_angle(side, vector):
    """Outwards from straight down, in radians."""
    return math.atan2(side * vector[0], vector[1])


def worn_points(garment, person, pose, height, share):
    """The grid's points on the garment, and on the person: [25,2] each, in pixels of the picture. `share`: of the arms' turn that
    the sleeves follow."""
    left, top, right, bottom = garment.box
    neck, hips = pose.neck * height, pose.hips * height
    at_shoulders, at_hips = 1.08 * person.shoulder * height, 1.14 * max(person.hip, 0.9 * person.shoulder) * height
    first = neck[1] - 0.036 * height
    scale = at_shoulders / garment.torso
    length = hips[1] - first
    length *= min(max(scale * (bottom - top) / length, 1.04), 1.22)
    along = (hips - neck) / (hips[1] - neck[1])  # columns a row, and 1

    def on_torso(side, t):
        """side: -1, 0, 1; t: 0 at the collar, 1 at the hem."""
        row = first + t * length
        half = at_shoulders + (at_hips - at_shoulders) * t
        half *= 1 - 0.05 * math.sin(math.pi * t)
        return np.array([neck[0] + along[0] * (row - neck[1]) + side * half, row])

    from_points, to_points = [], []
    for number in range(5):
        t = number / 4
        row = top + t * (bottom - top)
        for side in (-1, 0, 1):
            from_points.append((garment.middle + side * garment.torso, row))
            to_points.append(on_torso(side, t))
        for side in (-1, 1):
            index = (side + 1) // 2
            outer = max(side * ((left if side < 0 else right) - garment.middle), 1.4 * garment.torso)
            point = np.array([garment.middle + side * outer, row])
            shoulder = garment.shoulder(side)
            joint = on_torso(side * 0.92, 0.12)
            placed = joint + (point - shoulder) * (scale, length / (bottom - top))
            tip = garment.sleeves[index]
            if tip is not None:
                reach = (tip - shoulder) * (scale, length / (bottom - top))
                ends = pose.wrists if garment.has_long_sleeves else pose.elbows
                arm = hanging_angle(side, ends[index] - pose.shoulders[index])
                turn = np.clip(arm - hanging_angle(side, reach), -MOST_TURN, MOST_TURN)
                behind = (row - tip[1]) / (0.3 * (bottom - top))  # beyond the sleeve's tip the hem stays where it is
                placed = turned(placed, joint, -side * share * turn * np.clip(1 - behind, 0.15, 1))
            from_points.append(point)
            to_points.append(placed)
    return np.array(from_points, float), np.array(to_points, float)


def warp_of(garment, person, pose, height, width, share):
    """f64 [H,W,2]: of each pixel's middle the place on the garment's picture, as shares of its width and height."""
    on_garment, on_person = worn_points(garment, person, pose, height, share)
    back = spline(on_person / height, on_garment / height)
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    places = back(np.stack([columns, rows], -1).reshape(-1, 2) / height) * height
    return places.reshape(height, width, 2) / (width, height)


def is_folded(places, opacity):
    """Whether a part of the garment is seen from behind, or twice."""
    (x_down, x_across), (y_down, y_across) = (np.gradient(places[..., i]) for i in range(2))
    is_seen = opacity > 0.1
    if (x_across * y_down - x_down * y_across)[is_seen].min(initial=1.0) <= 0:
        return True
    _, _, figures, _ = cv2.connectedComponentsWithStats(is_seen.astype(np.uint8))
    areas = np.sort(figures[1:, cv2.CC_STAT_AREA])
    return len(areas) == 0 or areas[:-1].sum() > 0.01 * areas.sum()


def warp_without_folds(garment, person, pose, height, width):
    """The warp whose sleeves follow the arms as far as they can, and the garment's opacity by it."""
    for share in (1, 0.75, 0.5, 0.25, 0):
        places = warp_of(garment, person, pose, height, width, share)
        opacity = sampled(garment.opacity, places)
        if not is_folded(places, smaller(opacity)):
            break
    return places, opacity


def sampled(picture, places):
    """`picture` looked up at places (shares of its extents) of finer pixels, zero beyond it."""
    height, width = picture.shape[:2]
    fine = cv2.resize(places.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.remap(picture, fine[..., 0] * width - 0.5, fine[..., 1] * height - 0.5, cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_CONSTANT)


def shading(person, pose, height, width, random):
    """f32 [FINE H, FINE W]: smooth, darker towards the torso's sides."""
    field = cv2.resize(random.uniform(-0.13, 0.13, (5, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    rows, columns = (np.mgrid[0:height, 0:width] + 0.5) / height
    middle = pose.neck[0] + (pose.hips[0] - pose.neck[0]) * (rows - pose.neck[1]) / (pose.hips[1] - pose.neck[1])
    across = np.clip(np.abs(columns - middle) / person.shoulder, 0, 1.6)
    field = 1 + field - 0.16 * across ** 2 + 0.04
    return cv2.resize(field.astype(np.float32), (FINE * width, FINE * height), interpolation=cv2.INTER_CUBIC)


def smaller(picture):
    height, width = picture.shape[:2]
    return cv2.resize(picture, (width // FINE, height // FINE), interpolation=cv2.INTER_AREA)


def in_bytes(picture):
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def written_flow(places):
    """u8 [H,W,3], blue first: places in FLOW_LOW..FLOW_HIGH as 12 bits, high eight of the column in red and of the row in
    green, low four in blue, those of the column above those of the row."""
    steps = np.rint((np.clip(places, FLOW_LOW, FLOW_HIGH) - FLOW_LOW) / (FLOW_HIGH - FLOW_LOW) * FLOW_STEPS).astype(int)
    column, row = steps[..., 0], steps[..., 1]
    return np.dstack([(column & 15) << 4 | (row & 15), row >> 4, column >> 4]).astype(np.uint8)


def read_flow(picture):
    """f64 [H,W,2] of what written_flow() made."""
    blue, green, red = (picture[..., i].astype(int) for i in range(3))
    steps = np.stack([red << 4 | blue >> 4, green << 4 | blue & 15], -1)
    return FLOW_LOW + steps * (FLOW_HIGH - FLOW_LOW) / FLOW_STEPS


def worn(person, pose, garment, height, width, random):
    """The pictures of a row, by the names of their folders, u8 and blue first."""
    body = Body(person, pose, FINE * height, FINE * width)
    behind = body.behind(person)

    undressed = laid_over(behind, body.torso, np.float32(GREY))
    undressed = body.with_head(body.with_arms(undressed, person), person)

    places, opacity = warp_without_folds(garment, person, pose, height, width)
    colours = sampled(garment.colours, places) * shading(person, pose, height, width, random)[..., None]
    dressed = body.with_arms(laid_over(behind, body.torso, person.skin * 0.95), person)
    dressed = laid_over(dressed, opacity, np.clip(colours, 0, 1))
    over = "hands" if garment.has_long_sleeves else "forearms"
    dressed = body.with_head(body.with_arms(dressed, person, over), person)
    hidden = united(body.head, body.hair, *body.hands, *(body.forearms if over == "forearms" else []))

    return {"person": in_bytes(smaller(undressed)), "body": in_bytes(smaller(body.map())), "garment": garment.picture(),
            "picture": in_bytes(smaller(dressed)), "worn": in_bytes(smaller(opacity * (1 - hidden))),
            "flow": written_flow(places)}
