// Output of the CLI: results on stdout, everything else on stderr. It sanitizes all text, so that no presenter can
// forget to; colours are added afterwards.
import { printable, safeJson } from './sanitize.ts';

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;
export type Style = keyof typeof STYLES;

/** The part of a stream that is used. Tests pass their own. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
}

export interface Terminal {
  /** One or more lines of the result. */
  line(text: string, style?: Style): void;
  /** The result, as one JSON document. */
  json(value: unknown): void;
  /** One line of a stream of JSON documents. */
  jsonLine(value: unknown): void;
  /** Progress, for people. */
  progress(text: string): void;
  /** An error or a warning. */
  complain(text: string, style?: Style): void;
}

/** NO_COLOR and TERM=dumb switch colours off, FORCE_COLOR on. Otherwise terminals get colours. */
export function makeTerminal(
  stdout: OutputStream,
  stderr: OutputStream,
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  const write = (stream: OutputStream, text: string, style?: Style): void => {
    stream.write(`${paint(printable(text), style, hasColours(stream, env))}\n`);
  };
  return {
    line(text, style) {
      write(stdout, text, style);
    },
    json(value) {
      stdout.write(`${safeJson(value, 2)}\n`);
    },
    jsonLine(value) {
      stdout.write(`${safeJson(value)}\n`);
    },
    progress(text) {
      write(stderr, text, 'dim');
    },
    complain(text, style) {
      write(stderr, text, style);
    },
  };
}

function hasColours(stream: OutputStream, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '' && env['FORCE_COLOR'] !== '0') return true;
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

function paint(text: string, style: Style | undefined, colours: boolean): string {
  if (style === undefined || !colours) return text;
  const [on, off] = STYLES[style];
  return `\u001b[${on.toString()}m${text}\u001b[${off.toString()}m`;
}
