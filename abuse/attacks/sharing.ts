// Attacks by pages, shared ports, uploads and calls that outlive their token.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '../../client/index.ts';
import type { Attack } from '../attack.ts';
import { accepted, isRefusal, triedBy } from '../evidence.ts';
import type { Testbed } from '../testbed.ts';
import { listeningPorts } from '../listening.ts';

/** By then, the relay has answered a request to a server with invalid answers. In milliseconds. */
const ANSWER_MS = 20_000;

export const SHARING: readonly Attack[] = [
  {
    name: 'foreign-ports',
    goal: 'share a port on which none of its own processes listens',
    attempt: async ({ hostile, folder }) => {
      const foreign = await listen();
      const got: string[] = [];
      try {
        for (const port of [...(await listeningPorts(folder)), (foreign.address() as AddressInfo).port]) {
          const url = await hostile.client.call('port_url', { port }).catch(isRefusal);
          if (url === true) continue;
          const status = await fetch(String(url), { signal: AbortSignal.timeout(ANSWER_MS) }).then(
            (answer) => answer.status,
            () => 0,
          );
          if (status !== 404 && status !== 502) got.push(`port ${String(port)} (${String(status)})`);
        }
      } finally {
        foreign.close();
      }
      return got;
    },
  },
  {
    name: 'page-cookie',
    goal: "receive a page's cookie",
    attempt: async ({ api, client, hostile }) => {
      const link = new URL(String(await client.call('agent_url', { slug: hostile.slug, key: true })));
      const key = new URLSearchParams(link.hash.slice(1)).get('key') ?? '';
      const path = `${api}${link.pathname}`;
      const answers = await Promise.all([
        fetch(path),
        fetch(`${path}/.key`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ key }),
        }),
      ]);
      return answers.flatMap((answer) => answer.headers.getSetCookie());
    },
  },
  {
    name: 'odd-answers',
    goal: 'make the relay of a shared port hang',
    attempt: async ({ hostile }) => {
      const lines = ['HTTP/1.1 000 x', 'HTTP/1.1 099 x', 'HTTP/1.1 200 \\u0001', 'HTTP/1.1 200 \\u0416'];
      const got: string[] = [];
      for (const line of lines) {
        const port = await serveOnMachine(hostile, line);
        const url = String(await hostile.client.call('port_url', { port }));
        const isAnswered = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) }).then(
          () => true,
          (error: unknown) => (error as Error).name !== 'TimeoutError',
        );
        if (!isAnswered) got.push(line);
      }
      return got;
    },
  },
  {
    name: 'revoked-token',
    goal: 'get answers after its token is revoked',
    attempt: async ({ api, client, hostile }) => {
      const { id, token } = await client.call('auth_token_create', {});
      const holder = createClient({ url: api, token });
      // The call waits for a phase that is never reached.
      const running = holder.wait({ slug: hostile.slug, phase: 'failed' }).then(
        () => 'answered',
        () => 'ended',
      );
      await holder.call('auth', {});
      await client.call('auth_token_revoke', { id });
      const outcome = await Promise.race([running, delay(ANSWER_MS, 'still served', { ref: false })]);
      const again = await accepted([{ name: 'a new call', call: () => holder.call('auth', {}) }]);
      return [...(outcome === 'still served' ? ['a running wait'] : []), ...again];
    },
  },
];

async function listen(): Promise<Server> {
  const server = createServer((_, response) => response.end('of the owner'));
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  return server;
}

/** A server on the agent's machine that answers everything with this status line; resolves with its port. */
async function serveOnMachine(hostile: Testbed['hostile'], statusLine: string): Promise<number> {
  const code =
    `const s=require('net').createServer(c=>{c.on('error',()=>{});c.once('data',()=>c.end('${statusLine}\\r\\ncontent-length: 2\\r\\n\\r\\nok'))});` +
    `s.listen(0,'127.0.0.1',()=>require('fs').writeFileSync('odd.port',String(s.address().port)));setTimeout(()=>process.exit(),60000)`;
  const shown = await triedBy(
    hostile,
    `rm -f odd.port; (setsid node -e "${code}" >/dev/null 2>&1 &); for i in $(seq 100); do [ -s odd.port ] && break; sleep 0.1; done; echo "port=$(cat odd.port)"`,
  );
  const port = /port=(\d+)/.exec(shown)?.[1];
  if (port === undefined) throw new Error(`no server came up on the machine: ${shown}`);
  return Number(port);
}
