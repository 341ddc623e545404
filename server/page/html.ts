// HTML templates that escape their values, except for HTML that this module created.
import { printable } from '../../contract/wire/printable.ts';

/** A piece of HTML. Everything else is escaped. */
export interface Html {
  readonly html: string;
}

/** A value in a template: text, pieces, lists of pieces, or nothing. */
export type Part = string | number | Html | readonly Html[] | undefined;

/** Escapes every value, also inside quoted attributes, and makes invisible characters visible. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.map((text, index) => text + markupOf(parts[index])).join('') };
}

/** Unescaped text, for constants of ours such as a script. */
export function verbatim(text: string): Html {
  return { html: text };
}

function markupOf(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'object') return 'html' in part ? part.html : part.map((each) => each.html).join('');
  return printable(String(part)).replaceAll(/[&<>"'`]/g, (sign) => `&#${String(sign.charCodeAt(0))};`);
}

/** A link. Only the text for an address that is not http or https, because agents choose it. */
export function link(url: string, text = url): Html {
  const target = /^https?:\/\//i.test(url) ? URL.parse(url) : null;
  // Normalized as browsers do: invisible characters are encoded and keep their meaning.
  return target === null ? html`${text}` : html`<a href="${target.href}" rel="noopener noreferrer">${text}</a>`;
}
