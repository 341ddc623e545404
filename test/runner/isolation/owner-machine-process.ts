// Creates a local machine as the current user and runs a script inside:
// `node owner-machine-process.ts <folder below HOME for MURMUR_HOME> <script>`. Prints how it ended, as JSON.
import { once } from 'node:events';
import { homePaths } from '../../../config/home.ts';
import { DEFAULT_AGENT_LIMITS } from '../../../config/host-settings.ts';
import { createMachines } from '../../../drivers/machines/configured.ts';
import { createIsolation } from '../../../runner/isolation/isolation.ts';

const [, , root = '', script = ''] = process.argv;
const { local } = await createMachines(
  {
    home: homePaths(root),
    host: { limits: DEFAULT_AGENT_LIMITS, show: [] },
    isolation: 'namespace',
    claude: undefined,
  },
  process.env,
);
await local.create(
  { name: 'murmur-401', labels: {} },
  { signal: new AbortController().signal, requestId: 'request-1' },
);
const { paths } = await local.connect('murmur-401');
const { spawn } = createIsolation(await local.isolationOf('murmur-401'));
const bin = `${paths.home}/../bin`;
const child = spawn('/bin/sh', ['-c', script], {
  cwd: paths.work,
  env: { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: paths.home, OWNER: process.env['HOME'] ?? '' },
});
const output = { stdout: '', stderr: '' };
child.stdout.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
child.stdin.end();
const [code] = (await once(child, 'close')) as [number];
await local.destroy('murmur-401');
process.stdout.write(JSON.stringify({ code, ...output }));
