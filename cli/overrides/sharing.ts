// Commands that share something under a URL: `url port`, `url agent` and `upload`.
import { basename, resolve } from 'node:path';
import { MurmurError } from '../../contract/wire/errors.ts';
import { isAgentToken } from '../../contract/wire/tokens.ts';
import { ask } from '../operation.ts';
import type { CommandOverride } from '../override.ts';
import { present } from '../present/results.ts';

/** One URL for each port. */
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

/** All are looked at before the first is asked for. */
function portOf(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new MurmurError('INVALID_ARGUMENT', `port is ${JSON.stringify(text)}: it needs a whole number from 1 to 65535`);
}

/** For people with a key, so that the link can be followed. */
export const agentUrlOverride: CommandOverride = {
  prepare(input, { parsed }, { token = '' }) {
    // What an agent prints is meant for others.
    const plain = parsed.flags.has('plain') || isAgentToken(token);
    return Promise.resolve(plain ? input : { ...input, key: true });
  },
};

/** The file is named as the shell names files, and is called what it is called. */
export const uploadOverride: CommandOverride = {
  prepare(input, { context }) {
    const path = resolve(context.cwd, String(input['path']));
    return Promise.resolve({ filename: basename(path), ...input, path });
  },
};
