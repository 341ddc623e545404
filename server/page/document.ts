// The documents of pages, and the headers without which none is sent.
import { createHash } from 'node:crypto';
import { html, verbatim } from './html.ts';
import type { Html } from './html.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

/**
 * Nothing is loaded from anywhere, and only this very script runs: a file or a port that an agent shares has our origin,
 * so that not even scripts from there are taken. The script cannot make HTML of a text either.
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
 * The document of every address, whether there is an agent or not: it says nothing of any. Its script takes the key from the
 * address and fetches what may be seen.
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

/** The state of an agent, to be shown in the shell: a document without a script. */
export function stateDocument(title: string, state: Html): string {
  return documentOf(title, state);
}
