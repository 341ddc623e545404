// The log of `murmur mcp --debug`: every message in both directions, without credentials.
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { MurmurError } from '../contract/wire/errors.ts';

/** Keys whose values are redacted, at any depth. */
const SECRET_KEYS = /^(?:secrets?|token|password|authorization|api_?key)$/i;

export interface TrafficLog {
  /** Logs the transport's messages. Must be called before a server uses the transport. */
  attach(transport: Transport): void;
  /** Logs input that is not a message. */
  note(text: string): void;
}

/**
 * Appends to the file, which only its owner may read. Creates its folder. Throws FAILED_PRECONDITION when the file
 * cannot be written.
 */
export function openTrafficLog(file: string): TrafficLog {
  const write = (kind: 'in' | 'out' | 'note', content: unknown): void => {
    const line = JSON.stringify({ at: new Date().toISOString(), pid: process.pid, [kind]: content });
    appendFileSync(file, `${line}\n`, { mode: 0o600 });
  };
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    write('note', 'session started');
  } catch (error) {
    throw new MurmurError('FAILED_PRECONDITION', `the log ${file} cannot be written`, {
      hint: 'leave out --debug, or set MURMUR_HOME to a folder of yours',
      cause: error,
    });
  }
  return {
    attach(transport) {
      transport.onmessage = (message) => write('in', withoutSecrets(message));
      const { send } = transport;
      transport.send = async (message, options) => {
        write('out', withoutSecrets(message));
        await send.call(transport, message, options);
      };
    },
    note: (text) => write('note', withoutSecrets(text)),
  };
}

/** The value with tokens, credentials in URLs and values of secret fields redacted. */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return scrub(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, SECRET_KEYS.test(key) ? '[left out]' : withoutSecrets(inner)]),
  );
}

function scrub(text: string): string {
  return text
    .replaceAll(/mur_[\w.-]+/g, 'mur_[left out]')
    .replaceAll(/\b(?:sk-|gh[pousr]_|github_pat_)[\w-]{8,}/g, '[left out]')
    .replaceAll(/(:\/\/)[^\s/@"]+@/g, '$1[left out]@');
}
