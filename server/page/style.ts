// How the page looks: system fonts, light and dark, readable on a phone.

export const STYLE = `
:root { color-scheme: light dark; --line: #8884; --dim: light-dark(#666, #999); --bad: light-dark(#b22, #f77); }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 0 1rem 1rem; max-width: 70rem; font: 15px/1.45 system-ui, sans-serif; }
/* The session below moves on by itself: whose it is, and the phase, stay in sight. */
#state { display: contents; }
h1 { position: sticky; top: 0; background: Canvas; font-size: 1.25rem; margin: 0; padding: .7rem 0 .5rem;
  overflow-wrap: anywhere; }
h2 { font-size: .8rem; text-transform: uppercase; letter-spacing: .05em; color: var(--dim); margin: 1.5rem 0 .3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
dt { color: var(--dim); }
dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
ul { list-style: none; margin: 0; padding: 0; }
li { padding: .15rem 0; overflow-wrap: anywhere; }
time, .at { color: var(--dim); font-variant-numeric: tabular-nums; }
time { margin-right: .6rem; }
.phase { border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .6rem; font-size: .8rem; }
#ended { border: 1px solid var(--bad); border-radius: .4rem; padding: .4rem .7rem; }
#session { font: 13px/1.5 ui-monospace, monospace; border-top: 1px solid var(--line); padding-top: .5rem; }
/* The label runs into the text, so that a long one leaves room for it; what follows stands beside the time. */
.entry { padding: .1rem 0 .1rem 9ch; overflow-wrap: anywhere; }
.entry .at { margin-left: -9ch; }
.entry .label { color: var(--dim); }
.entry .text { white-space: pre-wrap; }
.tool .text, .result .text { opacity: .75; }
.error .text { color: var(--bad); }
@media (max-width: 40rem) {
  .entry { padding-left: 0; }
  .entry .at { margin-left: 0; }
}
`;
