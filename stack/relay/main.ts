// Entry of the relay: `node main.ts <order as JSON>`, in a network namespace of its own. Runs Temporal there and leads to
// it from outside: programs that have the client's certificate, and browsers that have a link of `murmur url temporal`.
// Neither outlives the other.
import { spawn } from 'node:child_process';
import type { RelayOrder } from './order.ts';
import { serveTls } from './tls.ts';
import { serveUi } from './ui.ts';

const order = JSON.parse(process.argv[2] ?? '') as RelayOrder;

/** Temporal first: it takes longer to start than everything here. */
const temporal = spawn(order.setpriv, ['--pdeathsig', 'KILL', '--', order.binary, ...order.args], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => temporal.kill(signal));
temporal.once('error', (error) => {
  process.stderr.write(`${order.binary} cannot be started: ${error.message}\n`);
  process.exit(1);
});
temporal.once('exit', (code, signal) => {
  if (signal !== null) process.stderr.write(`Temporal was ended by ${signal}\n`);
  process.exit(code ?? 1);
});

try {
  serveTls(order.descriptors.tls, order.tls, order.inside);
  serveUi(order.descriptors.ui, order.ui, order.inside.ui);
} catch (error) {
  process.stderr.write(`the relay cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1); // and Temporal with it
}
