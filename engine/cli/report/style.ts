/** The pages' style, for light and dark alike; it names nothing from elsewhere. */
export const STYLE = `
:root { color-scheme: light dark; --text: #1c2330; --dim: #5b6575; --back: #ffffff; --panel: #f5f7fa;
  --line: #d8dee8; --blue: #2563c9; --orange: #c2500c; --green: #15803d; --red: #c22f2f; --teal: #0f8a80; --yellow: #d6a800; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ef; --dim: #9aa5b5; --back: #14181f; --panel: #1c222c;
  --line: #343d4c; --blue: #7fb0ff; --orange: #f5a55b; --green: #5fd08a; --red: #ff8080; --teal: #4fd1c5; --yellow: #eac54f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 860px; padding: 1.5rem 1rem 4rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.4rem; margin: 3rem 0 .2rem; }
h3 { font-size: 1.05rem; margin: 2.2rem 0 .4rem; } h4 { font-size: .95rem; margin: 1.4rem 0 .2rem; font-weight: 600; }
p { margin: .4rem 0; } .dim, time { color: var(--dim); } .lead { font-size: 1.05rem; }
a { color: var(--blue); } code { font: .88em ui-monospace, monospace; background: var(--panel); padding: .1em .35em; border-radius: 4px;
  overflow-wrap: anywhere; }
.scroll, .chart { overflow-x: auto; } .chart svg { display: block; width: 100%; min-width: 560px; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; } th { text-align: left; color: var(--dim); font-weight: 500; }
th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
ul { padding-left: 1.2rem; } li { margin: .35rem 0; } .kept::marker { color: var(--green); } .rolled_back::marker { color: var(--red); }
.kept { list-style-type: "▲ "; } .rolled_back { list-style-type: "▽ "; } .next { background: var(--panel); padding: .8rem 1rem; border-radius: 8px; }
.next p { margin: .5rem 0; }
.next code { display: block; width: fit-content; background: var(--back); margin-top: .15rem; } details { margin: 1rem 0; } summary { cursor: pointer; color: var(--dim); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: .85rem; color: var(--dim); margin: .2rem 0; }
.legend svg { width: 12px; height: 12px; vertical-align: -1px; margin-right: .35rem; }
svg text { font: 12px system-ui, sans-serif; fill: var(--dim); }
svg .grid, svg .axis { stroke: var(--line); stroke-width: 1; } svg .axis { stroke: var(--dim); }
svg circle.incumbent { fill: var(--blue); } svg circle.candidate { fill: var(--back); stroke: var(--orange); stroke-width: 2; }
svg .pair { stroke: var(--dim); stroke-width: 1.5; } svg .one { stroke: var(--dim); stroke-dasharray: 3 3; }
svg .mark line { stroke-width: 1.5; } svg .mark text { font-size: 11px; }
svg .kept line { stroke: var(--green); } svg .kept text { fill: var(--green); }
svg .rolled_back line { stroke: var(--red); stroke-dasharray: 4 3; } svg .rolled_back text { fill: var(--red); }
svg .changed line { stroke: var(--dim); stroke-dasharray: 1 3; } svg line.limit { stroke: var(--red); stroke-dasharray: 6 4; }
svg text.limit { fill: var(--red); } svg line.now { stroke: var(--green); stroke-dasharray: 4 3; } svg text.now { fill: var(--green); }
svg .better { stroke: var(--green); fill: var(--green); stroke-width: 3; } svg .worse { stroke: var(--red); fill: var(--red); stroke-width: 3; }
svg .unclear { stroke: var(--dim); fill: var(--dim); stroke-width: 3; }
svg .e0 { fill: var(--teal); } svg .e1 { fill: var(--yellow); } svg .e2 { fill: var(--orange); }
svg .e0, svg .e1, svg .e2 { fill-opacity: .75; }
svg path.e3 { stroke: var(--red); stroke-width: 2.5; fill: none; }
@media print { body { max-width: none; } }
`;
