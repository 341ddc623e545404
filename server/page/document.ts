// The frame of every page, and the headers without which none is sent.
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

/** A whole page. */
export function documentOf(title: string, body: Html): string {
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
        ${body} ${verbatim(`<script>${SCRIPT}</script>`)}
      </body>
    </html>`.html;
}

/**
 * What everybody sees who may not read the agent, and who asks for one that does not exist: always the same. Its script
 * takes the key from the address.
 */
export const CLOSED_PAGE = documentOf(
  'Murmur',
  html`<h1>There is nothing to see here</h1>
    <p>
      An agent’s page opens with the link that <code>murmur url agent &lt;slug&gt;</code> prints. The link is good for
      ten minutes; print a new one when it has expired.
    </p>`,
);
