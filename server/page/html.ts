// HTML that cannot be broken out of: what is put into a template is text unless this module has made it.
import { printable } from '../../contract/wire/printable.ts';

/** A piece of HTML; nothing else is put into a page as it is. */
export interface Html {
  readonly html: string;
}

/** What may stand in a template: text, pieces, lists of pieces, or nothing. */
export type Part = string | number | Html | readonly Html[] | undefined;

/** Escapes every value, also inside quoted attributes; what cannot be seen in it is made visible. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.map((text, index) => text + markupOf(parts[index])).join('') };
}

/** Text that stands in a page for itself; for what is ours and constant, such as a script. */
export function verbatim(text: string): Html {
  return { html: text };
}

function markupOf(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'object') return 'html' in part ? part.html : part.map((each) => each.html).join('');
  return printable(String(part)).replaceAll(/[&<>"'`]/g, (sign) => `&#${String(sign.charCodeAt(0))};`);
}

/** A link, or the text alone when it leads anywhere but to the web: agents choose the address. */
export function link(url: string, text = url): Html {
  const target = /^https?:\/\//i.test(url) ? URL.parse(url) : null;
  // As the browser writes it: characters that cannot be seen are encoded there, and lead where they did.
  return target === null ? html`${text}` : html`<a href="${target.href}" rel="noopener noreferrer">${text}</a>`;
}
