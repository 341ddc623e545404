// `url port`: one URL for each port.
import { MurmurError } from '../../contract/wire/errors.ts';
import { ask } from '../operation.ts';
import type { OwnHalf } from '../override.ts';
import { present } from '../present/results.ts';

export const portUrlHalf: OwnHalf = {
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
