# Copyright (c) mic_mm authors. All rights reserved.
"""How the pages look, in light and in dark."""

# Colours are variables, so that charts follow the theme too.
STYLE = '''
:root { color-scheme: light dark; --ink: #1c2026; --quiet: #5a6270;
  --line: #d9dde3; --faint: #e6e9ed; --paper: #ffffff; --card: #f6f7f9;
  --mark: #fff3c4; --link: #0b62a8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e7eb; --quiet: #a2a9b4; --line: #3b414a;
    --faint: #2c3138; --paper: #16181c; --card: #1e2127; --mark: #4a3f14;
    --link: #7cbcf5; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); max-width: 1180px; margin: 2rem auto;
  padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; }
h2 { font-size: 1.25rem; margin-top: 2.4rem;
  border-bottom: 1px solid var(--line); padding-bottom: .3rem; }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .4rem; }
p { max-width: 60rem; }
a { color: var(--link); }
.note { color: var(--quiet); }
.warning { background: var(--mark); padding: .5rem .8rem;
  border-radius: .3rem; }
.scroll { overflow-x: auto; margin-bottom: 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem 1.1rem .4rem 0; text-align: right;
  vertical-align: top; overflow-wrap: anywhere; min-width: 4em; }
th { overflow-wrap: normal; font-weight: 600; border-bottom: 2px solid var(--ink); }
td { border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
table.text th, table.text td { text-align: left; }
table.text td { font: 13px/1.45 ui-monospace, monospace; max-width: 28rem; }
.charts { display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); }
.chart { width: 100%; max-width: 560px; height: auto; }
.chart text { font: 12px system-ui, sans-serif; fill: var(--ink); }
.chart .title { font-weight: 600; font-size: 13px; }
.chart .axis { fill: var(--quiet); }
.chart .grid { stroke: var(--faint); }
.curve polyline { fill: none; stroke-width: 2; }
.curve circle { stroke: none; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .6rem 0;
  padding: 0; list-style: none; }
.swatch { display: inline-block; width: .9em; height: .9em;
  margin-right: .4em; vertical-align: -.08em;
  outline: 1px solid var(--line); }
.pictures { display: flex; flex-wrap: wrap; gap: 0 2.5rem; }
figure { margin: 1.2rem 0; }
figure img { max-width: 100%; height: auto; background: #fff; }
figcaption { color: var(--quiet); overflow-wrap: anywhere; }
p.code { white-space: pre-wrap; max-width: none; overflow-wrap: anywhere;
  font: 12.5px/1.45 ui-monospace, monospace; }
details { margin: .8rem 0; }
summary { cursor: pointer; font-weight: 600; }
'''
