#!/usr/bin/env python3
"""Draws the pictures of docs/attackers.md: a scan of a 3, what an attacker may make of it, what the model is then shown.

    python scripts/make_attacker_pictures.py [FOLDER]

Writes one SVG for each kind of attacker, into docs/pictures unless a folder is named. Needs Python alone; the same
pictures each time.
"""

import random
import sys
from collections.abc import Callable
from pathlib import Path

INK = ("00agg400", "0098da00", "0004f600", "000dg700", "0005dg10", "00000g40", "00735g20", "00bgga00")
SCAN = [["0123456789abcdefg".index(each) / 16 for each in row] for row in INK]
SIDE, PIXEL, GAP, TOP = 8, 14, 34, 22
HIDDEN = None

Image = list[list[float | None]]


def picture(change: Callable[[int, int, float | None], float | None], image: Image) -> Image:
    return [[change(y, x, image[y][x]) for x in range(SIDE)] for y in range(SIDE)]


def near(value: float | None, step: float) -> float:
    return min(1.0, max(0.0, (value or 0.0) + step))


def l2(draw: random.Random) -> tuple[Image, Image]:
    attacked = picture(lambda y, x, v: near(v, draw.choice((-0.12, 0.12))), SCAN)
    return attacked, picture(lambda y, x, v: near(v, draw.gauss(0, 0.25)), attacked)


def l1(draw: random.Random) -> tuple[Image, Image]:
    chosen = {(0, 1): 0.7, (3, 2): 0.6, (6, 6): 0.6}
    attacked = picture(lambda y, x, v: near(v, chosen.get((y, x), 0.0)), SCAN)
    return attacked, picture(lambda y, x, v: near(v, draw.uniform(-0.4, 0.4)), attacked)


def pixels(draw: random.Random) -> tuple[Image, Image]:
    chosen = draw.sample([(y, x) for y in range(SIDE) for x in range(SIDE)], 5)
    attacked = picture(lambda y, x, v: 1.0 - round(v or 0.0) if (y, x) in chosen else v, SCAN)
    kept = draw.sample([(y, x) for y in range(SIDE) for x in range(SIDE)], 20)
    return attacked, picture(lambda y, x, v: v if (y, x) in kept else HIDDEN, attacked)


def patch(draw: random.Random) -> tuple[Image, Image]:
    attacked = picture(lambda y, x, v: float((x + y) % 2) if 4 <= y < 7 and 1 <= x < 4 else v, SCAN)
    return attacked, picture(lambda y, x, v: v if 4 <= x < 7 else HIDDEN, attacked)


def drawn(image: Image, left: int) -> list[str]:
    parts = []
    for y, row in enumerate(image):
        for x, value in enumerate(row):
            fill = "#f2b134" if value is HIDDEN else "#" + f"{round(255 * (1 - value)):02x}" * 3
            place = f'x="{left + x * PIXEL}" y="{TOP + y * PIXEL}"'
            parts.append(f'<rect {place} width="{PIXEL}" height="{PIXEL}" fill="{fill}"/>')
    side = SIDE * PIXEL
    frame = f'x="{left}" y="{TOP}" width="{side}" height="{side}" fill="none" stroke="#888"'
    return [*parts, f"<rect {frame}/>"]


def svg(title: str, panels: list[tuple[str, Image]]) -> str:
    side = SIDE * PIXEL
    width, height = len(panels) * (side + GAP) - GAP + 2, TOP + side + 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 0 {width} {height}" width="{width}" role="img">',
        f"<title>{title}</title>",
        '<g font-family="sans-serif" font-size="12" fill="#777" shape-rendering="crispEdges">',
    ]
    for number, (words, image) in enumerate(panels):
        left = number * (side + GAP)
        parts += [f'<text x="{left}" y="14">{words}</text>', *drawn(image, left)]
    return "\n".join([*parts, "</g>", "</svg>", ""])


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for name, make, title in (
        ("l2", l2, "Every pixel may change a little; the model is shown Gaussian noise"),
        ("l1", l1, "A few pixels may change much; the model is shown uniform noise"),
        ("pixels", pixels, "Some pixels may change to anything; the model is shown a random few pixels"),
        ("patch", patch, "A patch may change to anything; the model is shown one band of columns at a time"),
    ):
        attacked, shown = make(random.Random(3))
        panels = [("the input", SCAN), ("attacked", attacked), ("one row of many", shown)]
        (folder / f"attacker-{name}.svg").write_text(svg(title, panels))


if __name__ == "__main__":
    main(sys.argv[1:])
