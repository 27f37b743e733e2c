"""What the tools that judge runs have in common: their refusals, folders of photographs, the program."""

import re
import subprocess
import sys
from pathlib import Path

try:
    import cv2
except ImportError as error:
    sys.exit(f"{Path(sys.argv[0]).stem}: {error}; on Debian and Ubuntu: apt-get install python3-opencv")

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


class Refusal(Exception):
    def __init__(self, text, code=3):
        super().__init__(text)
        self.code = code


def refusing(judge, parser):
    """`judge` of what was given; a refusal is one sentence, and its exit code."""
    try:
        judge(parser.parse_args())
    except (Refusal, OSError) as error:
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
        sys.exit(getattr(error, "code", 3))


def size_of(text):
    """Width and height."""
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match or min(map(int, match.groups())) < 8:
        raise Refusal(f"--size {text}: must be WxH of at least 8 pixels a side, such as 64x64", 2)
    return tuple(map(int, match.groups()))


def pictures_of(folder, size):
    """By name, cut to the size's shape about the middle and brought to it, as `--fit cover` does."""
    if not Path(folder).is_dir():
        raise Refusal(f"{folder}: there is no such folder")
    width, height = size
    pictures = {}
    for file in sorted(Path(folder).rglob("*")):
        if file.suffix.lower() not in ENDINGS:
            continue
        picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if picture is None:
            raise Refusal(f"{file}: cannot be read")
        scale = min(picture.shape[0] / height, picture.shape[1] / width)
        rows, columns = round(scale * height), round(scale * width)
        top, left = (picture.shape[0] - rows) // 2, (picture.shape[1] - columns) // 2
        whole = picture[top:top + rows, left:left + columns]
        pictures[f"{len(pictures):05d}.png"] = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    if not pictures:
        raise Refusal(f"{folder}: holds no photograph")
    return pictures


def run(*words):
    """What a program prints."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        raise Refusal(f"{words[0]} {words[1]}: {done.stderr.strip()}")
    return done.stdout
