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
// Where a whole host can be made it has an ordinary login as well.
const missingLogin = missing === undefined ? 'is not needed' : await whyNoLoginHost();
if (missing !== undefined) console.warn(`no whole host is reached by ssh in these tests: ${missing}`);
if (missing !== undefined && missingLogin !== undefined) console.warn(`nor one of this user: ${missingLogin}`);

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

(missingLogin === undefined ? describe : describe.skip)('on this host, reached by ssh as the user of the tests', () => {
  let login: LoginHost;
  beforeAll(async () => {
    login = await startLoginHost();
  });
  afterAll(async () => {
    await login[Symbol.asyncDispose]();
  });

  machineProviderConformance('ssh (the user of the tests)', () => Promise.resolve(sshMachines([login])), {
    runner,
    transferBytes: 20_000_000,
  });
});
