// The documents of pages and their mandatory headers.
import { createHash } from 'node:crypto';
import { html, verbatim } from './html.ts';
import type { Html } from './html.ts';
import { SCRIPT } from './script.ts';

/** System fonts, light and dark, readable on a phone. */
const STYLE = `
:root { color-scheme: light dark; --line: #8884; --dim: light-dark(#666, #999); --bad: light-dark(#b22, #f77); }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 0 1rem 1rem; max-width: 70rem; font: 15px/1.45 system-ui, sans-serif; }
/* The session scrolls by itself. Name and phase of the agent stay visible. */
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
/* The label is part of the text, so that a long label leaves space. Further lines are indented beside the time. */
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

/**
 * The page loads nothing, and only this script may run. Not even scripts of the own origin are allowed, because files
 * and ports that agents share have it too. The script cannot create HTML from text either.
 */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': [
    "default-src 'none'",
    `script-src '${sourceHash(SCRIPT)}'`,
    `style-src '${sourceHash(STYLE)}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
} as const;

function sourceHash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function documentOf(title: string, body: Html, script?: string): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${verbatim(`<style>${STYLE}</style>`)}
      </head>
      <body>
        ${body} ${script === undefined ? undefined : verbatim(`<script>${script}</script>`)}
      </body>
    </html>`.html;
}

/**
 * The document of every address, also of agents that do not exist: it contains nothing about agents. Its script takes
 * the key from the address and fetches what the key grants.
 */
export const SHELL = documentOf(
  'Murmur',
  html`<noscript><p>This page needs its script, which is the only one that may run here.</p></noscript>
    <p id="ended" hidden>
      The link to this page has ended: with its agent, with the token that asked for it, or after eight hours. What is
      shown stays as it is; <code>murmur url agent &lt;slug&gt;</code> prints a new link.
    </p>
    <section id="live" hidden>
      <h2>Session (UTC)</h2>
      <div id="session"></div>
    </section>
    <section id="closed" hidden>
      <h1>There is nothing to see here</h1>
      <p>
        An agent’s page opens with the link that <code>murmur url agent &lt;slug&gt;</code> prints, in the tab in which
        the link is opened. The link is good for ten minutes; print a new one when it has expired.
      </p>
    </section>`,
  SCRIPT,
);

/** The state of an agent as a document without a script. The page shows it within the shell. */
export function stateDocument(title: string, state: Html): string {
  return documentOf(title, state);
}
