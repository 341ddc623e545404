// The log of `murmur mcp --debug`: every message in and out, without what opens doors.
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { MurmurError } from '../contract/wire/errors.ts';

/** Keys whose values are left out, at any depth. */
const SECRET_KEYS = /^(?:secrets?|token|password|authorization|api_?key)$/i;

export interface TrafficLog {
  /** Logs what the transport carries. To be called before a server takes the transport over. */
  attach(transport: Transport): void;
  /** Logs what could not be read as a message. */
  note(text: string): void;
}

/**
 * Appends to the file, which only its owner may read; makes its folder. Throws FAILED_PRECONDITION when it cannot be
 * written.
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

/** The same value with tokens, credentials in URLs and the values of secret fields replaced. */
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
