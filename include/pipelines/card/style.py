"""The look of a card: dark and light by the reader's setting, and on paper always light."""

from __future__ import annotations

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; background: Canvas; color: CanvasText;
  --candidate: light-dark(#0b63c4, #7db8ff); --champion: light-dark(#b3400a, #ffab73);
  --line: color-mix(in srgb, currentColor 22%, transparent);
  --faint: color-mix(in srgb, currentColor 65%, transparent); }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 64rem; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .5rem 0; max-width: 46rem; } ul { margin: .5rem 0; padding-left: 1.25rem; max-width: 46rem; }
code { font-size: .85rem; overflow-wrap: anywhere; }
.badge { display: inline-block; border: 1px solid; border-radius: 999px; padding: 0 .6rem; font-weight: 600; }
.promoted { color: light-dark(#1b6e3c, #7ddc9a); } .refused { color: light-dark(#b3261e, #ff8a80); }
.quiet, figcaption { color: var(--faint); font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .75rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } th:first-child, .facts td { text-align: left; } tbody th { font-weight: 400; }
.facts th { white-space: nowrap; color: var(--faint); padding-left: 0; }
.figures { display: flex; flex-wrap: wrap; gap: 1.25rem; }
figure { margin: .5rem 0; max-width: 100%; } svg { max-width: 100%; height: auto; display: block; }
svg text { fill: currentColor; font: 11px system-ui, sans-serif; }
.frame { fill: none; stroke: var(--line); } .guide { fill: none; stroke: var(--line); stroke-dasharray: 4; }
.candidate { stroke: var(--candidate); fill: none; stroke-width: 2; }
.champion { stroke: var(--champion); fill: none; stroke-width: 2; stroke-dasharray: 6 3; }
circle.candidate, rect.candidate { fill: var(--candidate); } circle.champion { fill: Canvas; stroke-dasharray: none; }
text.candidate { fill: var(--candidate); stroke: none; font-weight: 600; }
text.champion { fill: var(--champion); stroke: none; font-weight: 600; }
@media print {
  :root { color-scheme: light; } body { font-size: 11px; max-width: none; padding: 0; }
  section, figure, tr { break-inside: avoid; } h2 { break-after: avoid; }
}
"""
