"""The ratios as bars in one SVG, drawn by hand; readable on light and dark pages, with no font or script of its own."""
from xml.sax.saxutils import escape

from clients import GROUPS
from servers import SERVERS

WIDTH, LABEL, BAR, GAP = 760, 270, 16, 4
SHAPES = [("1x1", "1 connection"), ("64x1", "64"), ("512x1", "512"), ("64x16", "64, 16 deep")]

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .small { font-size: 11px } .head { font-weight: 600 }
.rule { stroke: #8c959f; stroke-dasharray: 3 3 } .ours { fill: #0969da } .peer { fill: #8c959f }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .rule { stroke: #6e7681 }
.ours { fill: #4493f8 } .peer { fill: #6e7681 } }
"""


def bars(title, rows, y, scale):
    """One block: a heading and a bar for each (label, ratio, ours). Returns the drawing and the next y."""
    out = [f'<text class="head" x="0" y="{y + 13}">{escape(title)}</text>']
    y += 22
    for label, ratio, ours in rows:
        length = max(1.0, ratio * scale)
        kind = "ours" if ours else "peer"
        out.append(f'<text x="{LABEL - 8}" y="{y + 12.5}" text-anchor="end" class="small">{escape(label)}</text>')
        out.append(f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" rx="2"/>')
        out.append(f'<text class="small" x="{LABEL + length + 6:.1f}" y="{y + 12.5}">{ratio:.2f}</text>')
        y += BAR + GAP
    return out, y + 12


def blocks(results):
    plain = lambda title: title.replace("`", "")
    for key, name in SHAPES:
        rows = [(plain(SERVERS[r][0]), shapes[key]["ratio"], r not in ("limit", "nginx"))
                for r, shapes in results["servers"].items()]
        yield f"Server, {name}", rows
    for group, rows in results["clients"].items():
        title, _, base, entries = GROUPS[group]
        # As for servers: a longer bar is better.
        yield title.capitalize(), [(plain(entries[r][0]), 1 / got["times"], r.startswith("winhttp"))
                                   for r, got in rows.items()]


def draw(results):
    every = list(blocks(results))
    widest = max(ratio for _, rows in every for _, ratio, _ in rows)
    scale = (WIDTH - LABEL - 50) / max(1.0, widest)
    y, body = 26, ['<text x="0" y="14" class="small">CPU time a request as a ratio to the limit (dashed, 1.00); '
                   'longer is better</text>']
    for title, rows in every:
        drawn, y = bars(title, rows, y, scale)
        body += drawn
    x = LABEL + scale
    body.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="26" y2="{y}"/>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 0 {WIDTH + 16} {y + 4}" width="{WIDTH}" role="img" '
            f'aria-label="CPU time a request as a ratio to the limit">\n<style>{STYLE}</style>\n'
            + "\n".join(body) + "\n</svg>\n")
