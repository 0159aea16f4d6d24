"""The demo's picture: one HTML file that needs nothing else."""

from collections.abc import Callable, Sequence
from html import escape

from aioruns.cli.demo.problem import METHODS, Problem
from aioruns.cli.demo.tally import Tally

Height = Callable[[float], float]
"""From a tour's length to a place on the page."""

_COLOURS = {
    "nextmv": "#2a78d6",
    "kubeflow": "#1baf7a",
    "abeja": "#eda100",
    "cloudify": "#4a3aa7",
}
_WIDTH, _HEIGHT, _MARGIN = 560, 420, 56

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1180px;
         color: #222; background: #fff; }}
  .pair {{ display: flex; flex-wrap: wrap; gap: 2rem; }}
  figure {{ margin: 0; }}
  svg {{ max-width: 100%; height: auto; }}
  text {{ font: 13px system-ui, sans-serif; fill: currentColor; }}
  .axis {{ stroke: currentColor; opacity: .25; }}
  .optimum {{ stroke: currentColor; stroke-dasharray: 5 4; opacity: .7; }}
  .tour {{ fill: none; stroke: #2a78d6; stroke-width: 2; }}
  .point {{ fill: currentColor; }}
  @media (prefers-color-scheme: dark) {{ body {{ color: #ddd; background: #16181d; }} }}
</style>
<h1>{title}</h1>
<p>{summary}</p>
<div class="pair">
<figure>{strips}<figcaption>Tour length by method; every dot is one run.
</figcaption></figure>
<figure>{tour}<figcaption>{caption}</figcaption></figure>
</div></html>
"""


def draw(tallies: Sequence[Tally], problem: Problem) -> str:
    """Draw the tour lengths by method, and the best tour.

    Returns:
        A self-contained HTML page.
    """
    found = [one for one in tallies if one.best_length is not None]
    best = min(found, key=lambda one: one.best_length or 0, default=None)
    runs = sum(len(tally.solutions) for tally in tallies)
    return _PAGE.format(
        title=escape(f"Round trips of {problem.name}"),
        summary=f"{runs} runs on {len(tallies)} platforms.",
        strips=_strips(tallies, problem),
        tour=_tour(best.best, problem) if best else "",
        caption=(
            f"The best tour, length {best.best_length}, found on {best.entrant.name}."
            if best
            else "No run found a tour."
        ),
    )


def _strips(tallies: Sequence[Tally], problem: Problem) -> str:
    lengths = [length for tally in tallies for _, length in tally.solutions]
    shortest = min([*lengths, problem.optimum or 10**9])
    spread = max(max(lengths, default=0) - shortest, 1)
    low, span = shortest - spread * 0.05, spread * 1.1

    def height(length: float) -> float:
        return _HEIGHT - _MARGIN - (length - low) / span * (_HEIGHT - 2 * _MARGIN)

    parts = [_axis(low, span, height)]
    if problem.optimum is not None:
        y = height(problem.optimum)
        parts.append(
            f'<line class="optimum" x1="{_MARGIN}" x2="{_WIDTH - 16}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/><text x="{_WIDTH - 16}" y="{y - 6:.1f}" '
            f'text-anchor="end">optimum {problem.optimum}</text>'
        )
    column = (_WIDTH - _MARGIN) / len(METHODS)
    lane = column / (len(tallies) + 1)
    for place, method in enumerate(METHODS):
        left = _MARGIN + place * column
        parts.append(
            f'<text x="{left + column / 2:.0f}" y="{_HEIGHT - 18}" '
            f'text-anchor="middle">{escape(method)}</text>'
        )
        for row, tally in enumerate(tallies):
            centre = left + (row + 1) * lane
            parts += _dots(tally, method, centre, lane, height)
    for row, tally in enumerate(tallies):
        x = _MARGIN + row * 120
        name = tally.entrant.name
        parts.append(
            f'<circle cx="{x}" cy="18" r="5" fill="{_COLOURS[name]}"/>'
            f'<text x="{x + 10}" y="22">{name}</text>'
        )
    return _svg(parts)


def _axis(low: float, span: float, height: Height) -> str:
    marks = []
    for step in range(5):
        length = low + span * step / 4
        y = height(length)
        marks.append(
            f'<line class="axis" x1="{_MARGIN}" x2="{_WIDTH - 16}" y1="{y:.1f}" '
            f'y2="{y:.1f}"/><text x="{_MARGIN - 8}" y="{y + 4:.1f}" '
            f'text-anchor="end">{length:.0f}</text>'
        )
    return "".join(marks)


def _dots(
    tally: Tally, method: str, centre: float, lane: float, height: Height
) -> list[str]:
    colour = _COLOURS[tally.entrant.name]
    dots = []
    lengths = [length for used, length in tally.solutions if used == method]
    for number, length in enumerate(lengths):
        # Spread over the lane, so that equal lengths stay visible.
        x = centre + lane * 0.7 * ((number * 0.618) % 1 - 0.5)
        dots.append(
            f'<circle cx="{x:.1f}" cy="{height(length):.1f}" r="3.2" fill="{colour}" '
            f'fill-opacity=".7"><title>{tally.entrant.name}: {length}</title></circle>'
        )
    return dots


def _tour(tour: Sequence[int], problem: Problem) -> str:
    xs, ys = zip(*problem.points, strict=True)
    scale = min(
        (_WIDTH - 48) / max(max(xs) - min(xs), 1e-9),
        (_HEIGHT - 48) / max(max(ys) - min(ys), 1e-9),
    )
    places = [
        (24 + (x - min(xs)) * scale, _HEIGHT - 24 - (y - min(ys)) * scale)
        for x, y in problem.points
    ]
    line = " ".join(f"{places[point][0]:.1f},{places[point][1]:.1f}" for point in tour)
    dots = [
        f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in places
    ]
    return _svg([f'<polygon class="tour" points="{line}"/>', *dots])


def _svg(parts: Sequence[str]) -> str:
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'
