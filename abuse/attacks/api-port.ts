// Attack on the API server's port, to which the owner's programs send the owner's token.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Attack } from '../attack.ts';
import { linesWith, triedBy } from '../evidence.ts';

/** Tries to listen on the first port until its connection to the second port is closed. */
const PROBE = `
const net = require('net'), http = require('http');
const [port, control] = process.argv.slice(1).map(Number);
const attempt = () => {
  const server = http.createServer((request, answer) => { console.log('got a request with', (request.headers.authorization || 'nothing').slice(0, 10)); answer.end(); });
  server.on('error', () => setTimeout(attempt, 1)).listen(port, '127.0.0.1', () => console.log('got the port'));
};
net.connect(control, '127.0.0.1').on('connect', attempt).on('error', () => {}).on('close', () => process.exit()).resume();
`;

export const API_PORT: readonly Attack[] = [
  {
    name: 'api-port',
    goal: "listen on the API server's port during its restart, to receive the owner's token",
    attempt: async ({ api, hostile, murmur, record }) => {
      const control = createServer().listen(0, '127.0.0.1');
      await once(control, 'listening');
      const ports = [new URL(api).port, String((control.address() as AddressInfo).port)];
      const trying = triedBy(
        hostile,
        `cat >probe.cjs <<'END'\n${PROBE}\nEND\nnode -e "$(cat probe.cjs)" ${ports.join(' ')}`,
      );
      // An agent that cannot reach the server fails; the attack does not wait for it.
      const [attacker] = (await Promise.race([once(control, 'connection'), trying.then(() => [])])) as [Socket?];
      if (attacker === undefined) throw new Error('the agent did not begin to try');
      const { server } = (await record()).children;
      if (server === undefined) throw new Error('no API server runs');
      process.kill(server.pid, 'SIGKILL');
      await murmur('ls');
      attacker.destroy();
      control.close();
      return linesWith(await trying, 'got ');
    },
  },
];
