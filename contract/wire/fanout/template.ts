// Slugs and descriptions of a fan-out's agents, from templates with `{}`. Pure: loaded by the workflow sandbox.
import { MurmurError } from '../errors.ts';
import { slugProblem } from '../identity.ts';

/** Placeholder for the item. */
export const PLACEHOLDER = '{}';

/** Characters of a slug (RFC 1123). */
const SLUG_LIMIT = 63;
/** Replaces an item without any letter or digit that a slug can contain. */
const NAMELESS = 'item';

/**
 * Expands the last segment of a slug template for each item. The item is put in lower case, other characters than
 * letters and digits become dashes, and it is shortened so that the slug is valid. A repeated slug gets `-2`, `-3` and
 * so on. Throws INVALID_ARGUMENT for a template without `{}`, without room for an item, or with an invalid slug as the
 * result.
 */
export function expandSlugs(template: string, items: readonly string[]): readonly string[] {
  requirePlaceholder(template, 'slug');
  const room = Math.floor(
    (SLUG_LIMIT - template.replaceAll(PLACEHOLDER, '').length) / (template.split(PLACEHOLDER).length - 1),
  );
  if (room < 1) {
    throw new MurmurError('INVALID_ARGUMENT', `slug ${JSON.stringify(template)} leaves no room for the item`, {
      hint: `a slug has at most ${SLUG_LIMIT} characters`,
      details: { field: 'slug', value: template },
    });
  }
  const taken = new Set<string>();
  /** The last number given to a slug, so that the count does not start at two for each of a thousand equal items. */
  const numbers = new Map<string, number>();
  return items.map((item) => {
    const slug = template.replaceAll(PLACEHOLDER, () => cut(sanitised(item), room));
    const problem = slugProblem(slug);
    if (problem !== undefined) throw new MurmurError('INVALID_ARGUMENT', problem, { details: { field: 'slug', item } });
    const unique = uniqueSlug(slug, taken, numbers);
    taken.add(unique);
    return unique;
  });
}

/** The description of one agent: the template with the unchanged item in place of each `{}`. */
export function expandDescription(template: string, item: string): string {
  return template.replaceAll(PLACEHOLDER, () => item);
}

/** Throws INVALID_ARGUMENT for a template without a placeholder: it would be the same for every item. */
export function requirePlaceholder(template: string, field: 'slug' | 'description'): void {
  if (template.includes(PLACEHOLDER)) return;
  throw new MurmurError('INVALID_ARGUMENT', `${field} ${JSON.stringify(template.slice(0, 100))} has no {}`, {
    hint: `write {} in the ${field} where each item is to stand`,
    details: { field },
  });
}

function sanitised(item: string): string {
  const plain = item.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  const slug = trimmed(plain.replaceAll(/[^a-z0-9]+/g, '-'));
  return slug === '' ? NAMELESS : slug;
}

function cut(text: string, length: number): string {
  return trimmed(text.slice(0, length));
}

function trimmed(text: string): string {
  return text.replace(/^-+/, '').replace(/-+$/, '');
}

function uniqueSlug(slug: string, taken: ReadonlySet<string>, numbers: Map<string, number>): string {
  if (!taken.has(slug)) return slug;
  for (let number = numbers.get(slug) ?? 2; ; number += 1) {
    const suffix = `-${number}`;
    const next = `${cut(slug, SLUG_LIMIT - suffix.length)}${suffix}`;
    numbers.set(slug, number + 1);
    if (!taken.has(next)) return next;
  }
}
