// The headers with which somebody else's file is shown: whatever it holds, it must not act as a page of ours.
import mime from 'mime-types';

/** What a browser shows by itself. Everything else is offered for saving. */
const SHOWN = /^(?:(?:image|audio|video|text)\/|application\/(?:json|xml|xhtml\+xml)(?:;|$))/i;

/**
 * `sandbox` takes scripts, forms and the origin from pages and drawings; the rest keeps them from fetching anything. What
 * they are made of (inline styles, embedded images) works.
 */
const POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:; frame-ancestors 'none'";

/** The content type of a file that is given none. */
export function typeOfName(filename: string): string {
  return mime.lookup(filename) || 'application/octet-stream';
}

/** Headers of the answer that holds the file. */
export function contentHeaders(file: {
  readonly filename: string;
  readonly content_type: string;
  readonly bytes: number;
}): Readonly<Record<string, string | number>> {
  return {
    'content-type': mime.contentType(file.content_type) || file.content_type,
    'content-length': file.bytes,
    'content-disposition': disposition(file),
    'content-security-policy': POLICY,
    // Images may be embedded elsewhere: the URL is the key.
    'cross-origin-resource-policy': 'cross-origin',
    // The content of a URL never changes; a day bounds how long a browser keeps what was shared by mistake.
    'cache-control': 'private, max-age=86400, immutable',
  };
}

/** RFC 6266: a plain name for old programs, the real one for all others. */
function disposition({ filename, content_type: type }: { filename: string; content_type: string }): string {
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const whole = encodeURIComponent(filename).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `${SHOWN.test(type) ? 'inline' : 'attachment'}; filename="${plain}"; filename*=UTF-8''${whole}`;
}
