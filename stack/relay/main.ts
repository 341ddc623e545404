// Entry of the relay: `node main.ts <order as JSON>`, in its own network namespace. Runs Temporal there. Relays
// connections from outside, for programs with the client certificate and for browsers with a link of `murmur url
// temporal`. Relay and Temporal end together.
import { spawn } from 'node:child_process';
import type { RelayOrder } from './order.ts';
import { serveTls } from './tls.ts';
import { serveUi } from './ui.ts';

const order = JSON.parse(process.argv[2] ?? '') as RelayOrder;

/** Started first, because Temporal takes longest to start. */
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
  process.exit(1); // also ends Temporal
}
