// How the page looks: system fonts, light and dark, readable on a phone.

export const STYLE = `
:root { color-scheme: light dark; --line: #8884; --dim: #888; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 70rem; font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.25rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; color: var(--dim); margin: 1.5rem 0 .3rem; }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: .2rem 1rem; margin: 0; }
dt { color: var(--dim); }
dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
ul { list-style: none; margin: 0; padding: 0; }
li { padding: .15rem 0; overflow-wrap: anywhere; }
time, .at { color: var(--dim); font-variant-numeric: tabular-nums; margin-right: .6rem; }
.phase { border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .6rem; font-size: .8rem; }
#session { font: 13px/1.5 ui-monospace, monospace; border-top: 1px solid var(--line); padding-top: .5rem; }
.entry { display: flex; align-items: baseline; padding: .1rem 0; }
.entry .label { color: var(--dim); margin-right: .6rem; white-space: nowrap; }
.entry .text { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 0; }
.tool .text, .result .text { opacity: .75; }
.error .text { color: #c33; }
`;
