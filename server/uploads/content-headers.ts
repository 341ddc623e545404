// Headers for uploaded files: with any content, a file must not act as a page of our origin.
import mime from 'mime-types';

/** Types that browsers show inline. Others are sent as attachments. */
const SHOWN = /^(?:(?:image|audio|video|text)\/|application\/(?:json|xml|xhtml\+xml)(?:;|$))/i;

/**
 * `sandbox` removes scripts, forms and the origin from pages and SVG images. The rest prevents them from fetching
 * anything. Inline styles and embedded images work.
 */
const POLICY =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:; frame-ancestors 'none'";

/** The content type of a file without a given one. */
export function typeOfName(filename: string): string {
  return mime.lookup(filename) || 'application/octet-stream';
}

/** Headers of the answer with the file. */
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
    // Other pages may embed images: the URL itself grants access.
    'cross-origin-resource-policy': 'cross-origin',
    // The content of a URL never changes. A day limits how long browsers keep files that were shared by mistake.
    'cache-control': 'private, max-age=86400, immutable',
  };
}

/** RFC 6266: an ASCII name for old programs, and the real name. */
function disposition({ filename, content_type: type }: { filename: string; content_type: string }): string {
  const plain = filename.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const whole = encodeURIComponent(filename).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `${SHOWN.test(type) ? 'inline' : 'attachment'}; filename="${plain}"; filename*=UTF-8''${whole}`;
}
