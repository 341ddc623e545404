// Supervises a relay with a stand-in for Temporal, like the supervisor and as its user: `node relay-keeper.ts <home>
// <binary>`. Prints what a client needs, and the process id at each start.
import { homePaths, makeHome } from '../../../config/home.ts';
import { PACKAGE_ROOT } from '../../../config/package.ts';
import { choosePorts } from '../../../stack/ports.ts';
import { superviseChild } from '../../../stack/supervisor/child.ts';
import { holdSockets } from '../../../stack/supervisor/sockets.ts';
import { temporalStart } from '../../../stack/supervisor/temporal.ts';
import { readDevServer } from '../../../stack/temporal/dev-server.ts';
import { findNetworkIsolation } from '../../../stack/network/isolation.ts';

const [folder = '', binary = ''] = process.argv.slice(2);
const home = homePaths(folder);
makeHome(home);
const wanted = { api: 0, temporal: 0, temporalUi: 0 };
const network = await findNetworkIsolation('auto');
const ports = await choosePorts(wanted, true);
const sockets = await holdSockets(ports, true);
const description = await readDevServer(PACKAGE_ROOT);
const settings = { home, version: '0', ports: wanted, temporal: { binary, network } };
const { record, spec } = await temporalStart(settings, {
  ...{ binary, network, description, env: process.env },
  ports: ports.temporal,
  sockets: sockets.relay,
});
const child = await superviseChild(home, spec, {
  onStart: (_, { pid }) => {
    process.stdout.write(`${JSON.stringify({ record, pid })}\n`);
    return Promise.resolve();
  },
  onExit: () => undefined,
});
process.once('SIGTERM', () => {
  void child.stop().then(() => process.exit(0));
});
