"""The picture of a service's life, drawn from the table of its states.

usage: python tests/kit/life.py > docs/explanation/life.svg
"""

from html import escape

from ssd.supervision.states import DONE, FAILED, NEXT, POST_STOP, STATES, TABLE

LEFT, WIDTH, HEIGHT, STEP = 360, 120, 30, 74
NOTE = "after post-stop the goal decides; failed is for a service that was given up"


def arrows() -> dict[tuple[str, str], list[str]]:
    """Return from which state to which, and by which inputs."""
    found: dict[tuple[str, str], list[str]] = {}
    for (state, given), (_, entered) in TABLE.items():
        if entered is not None and entered != state:
            found.setdefault((state, entered), []).append(given)
    for goal, entered in NEXT.items():
        found.setdefault((POST_STOP, entered), []).append(f"{DONE} (goal {goal})")
    found.setdefault((POST_STOP, FAILED), []).append(f"{DONE} (given up)")
    return found


def middle(state: str) -> int:
    """Return the height of a state's middle."""
    return 50 + STEP * STATES.index(state)


def arc(source: str, target: str, labels: list[str], number: int, of_source: int) -> str:
    """Draw one arrow: straight to the next state, else an arc; down on the right, up on the left.

    ``number`` of the arcs on that side, ``of_source`` of those from the same state.
    """
    above, below = middle(source), middle(target)
    text = escape(", ".join(labels))
    if is_step(source, target):
        x = LEFT + WIDTH // 2
        line = f'<path d="M{x} {above + HEIGHT // 2} L{x} {below - HEIGHT // 2}"/>'
        return f'{line}<text x="{x + 6}" y="{(above + below) // 2 + 4}">{text}</text>'
    right = below > above
    edge, way = (LEFT + WIDTH, 1) if right else (LEFT, -1)
    out = edge + (280 + 45 * number) * way
    line = f'<path d="M{edge} {above} C{out} {above} {out} {below} {edge} {below}"/>'
    anchor = "start" if right else "end"
    y = above - 5 + 18 * of_source
    return f'{line}<text x="{edge + 8 * way}" y="{y}" text-anchor="{anchor}">{text}</text>'


def is_step(source: str, target: str) -> bool:
    """Tell whether an arrow leads to the next state."""
    return STATES.index(target) == STATES.index(source) + 1


def picture() -> str:
    """Return the picture as SVG."""
    height = middle(STATES[-1]) + 50
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="960" height="{height}" '
        f'viewBox="0 0 960 {height}" font-family="sans-serif" font-size="11">',
        f"<title>The life of a service: {NOTE}</title>",
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#50607a"/></marker></defs>',
        f'<rect width="960" height="{height}" fill="white"/>',
        '<g fill="none" stroke="none">',
    ]
    sides: list[tuple[str, bool]] = []
    for (source, target), labels in arrows().items():
        right = middle(target) > middle(source)
        number = sum(side == right for _, side in sides)
        drawn = arc(source, target, labels, number, sides.count((source, right)))
        if not is_step(source, target):
            sides.append((source, right))
        drawn = drawn.replace("<path", '<path stroke="#8a97ab" marker-end="url(#tip)"')
        lines.append(drawn.replace("<text", '<text fill="#22303f"'))
    lines.append("</g>")
    for state in STATES:
        top = middle(state) - HEIGHT // 2
        lines.append(
            f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="6" '
            f'fill="#eef3fa" stroke="#50607a"/><text x="{LEFT + WIDTH // 2}" '
            f'y="{middle(state) + 4}" text-anchor="middle" font-weight="bold">{state}</text>'
        )
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    print(picture(), end="")
