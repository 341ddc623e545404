import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { machineProviderConformance } from '../../../../drivers/machines/conformance.ts';
import { startLoginHost, whyNoLoginHost } from '../../../fixtures/ssh-machines/login-host.ts';
import type { LoginHost } from '../../../fixtures/ssh-machines/login-host.ts';
import { startSshHost, sshHostProblem } from '../../../fixtures/ssh-machines/ssh-host.ts';
import type { SshHost } from '../../../fixtures/ssh-machines/ssh-host.ts';
import { userCacheFolder } from '../../../../config/home.ts';
import { runnerBundle } from '../../../../worker/runner-bundle.ts';
import { sshMachines } from './ssh-machines.ts';

jest.setTimeout(90_000);

const runner = await runnerBundle(userCacheFolder(process.env));
const missing = sshHostProblem();
const missingLogin = await whyNoLoginHost();
if (missing !== undefined) console.warn(`no whole host is reached by ssh in these tests: ${missing}`);
if (missingLogin !== undefined)
  console.warn(`no server of an ordinary user is reached by ssh in these tests: ${missingLogin}`);

(missing === undefined ? describe : describe.skip)('on a host that is reached by ssh', () => {
  let host: SshHost;
  beforeAll(async () => {
    host = await startSshHost();
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  for (const user of ['root', 'builder'] as const) {
    machineProviderConformance(
      `ssh (${user})`,
      () => Promise.resolve({ ...sshMachines([host], user), killLink: () => host.freezeLinks() }),
      { linkDies: true, runner, transferBytes: user === 'root' ? 200_000_000 : 20_000_000 },
    );
  }
});

(missingLogin === undefined ? describe : describe.skip)(
  'on this host, reached by ssh at the server of an ordinary user',
  () => {
    let login: LoginHost;
    beforeAll(async () => {
      login = await startLoginHost();
    });
    afterAll(async () => {
      await login[Symbol.asyncDispose]();
    });

    machineProviderConformance('ssh (an ordinary user)', () => Promise.resolve(sshMachines([login])), {
      runner,
      transferBytes: 20_000_000,
    });
  },
);
