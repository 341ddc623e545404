// Commands that create URLs for sharing: `url port`, `url agent` and `upload`.
import { basename, resolve } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import { isAgentToken } from '../../contract/wire/tokens.ts';
import { ask } from '../operation.ts';
import type { CommandOverride } from '../override.ts';
import { present } from '../present/results.ts';

/** `url port`: one URL per port. */
export const portUrlOverride: CommandOverride = {
  async run(call) {
    const { json, parsed, context } = call;
    const typed = parsed.args.get('port') ?? [];
    const ports = typed.map(portOf);
    const urls: unknown[] = [];
    for (const port of ports) urls.push(await ask({ ...call, input: { port } }));
    if (json) context.terminal.json(urls.length === 1 ? urls[0] : urls);
    else for (const url of urls) present('port_url', url, context.terminal, call.input);
  },
};

/** Reads a port. All ports are checked before the first call. */
function portOf(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new MurmurError('INVALID_ARGUMENT', `port is ${JSON.stringify(text)}: it needs a whole number from 1 to 65535`);
}

/** `url agent`: for people the URL contains a key, so that the link works in a browser. */
export const agentUrlOverride: CommandOverride = {
  prepare(input, { parsed }, { token = '' }) {
    // Agents print URLs for other people, without a key.
    const plain = parsed.flags.has('plain') || isAgentToken(token);
    return Promise.resolve(plain ? input : { ...input, key: true });
  },
};

/** `upload`: resolves the path, and uses the file's own name by default. */
export const uploadOverride: CommandOverride = {
  prepare(input, { context }) {
    const path = resolve(context.cwd, String(input['path']));
    return Promise.resolve({ filename: basename(path), ...input, path });
  },
};
