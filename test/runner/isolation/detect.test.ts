import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { detectIsolation } from '../../../runner/isolation/detect.ts';
import { asUser } from './variants.ts';

const DETECT = join(import.meta.dirname, '../../../runner/isolation/detect.ts');

describe('detectIsolation', () => {
  it('uses tracking if configured, without a reason', async () => {
    expect(await detectIsolation('tracking')).toEqual({
      kind: 'tracking',
      ownUser: false,
      description: 'process tracking: agents can read what you can read',
    });
  });

  it('reports what is in force, and why namespaces are not', async () => {
    const detected = await detectIsolation('auto');
    if (detected.kind === 'namespace') {
      expect(detected).toEqual({
        kind: 'namespace',
        ownUser: process.getuid?.() === 0,
        description: expect.stringContaining('namespaces'),
        limitsInForce: {
          processes: expect.stringMatching(/^(cgroup|user|program|none)$/),
          memory: expect.stringMatching(/^(cgroup|process)$/),
        },
      });
    } else {
      expect(detected).toMatchObject({ ownUser: false, reason: expect.stringMatching(/./) });
    }
  });

  it('uses namespaces where the system supports them', async () => {
    // Suites of namespaces are skipped where they do not work. This test fails if the cause is our code.
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-current-user', '--keep-caps'];
    const words = [...user, '--pid', '--fork', '--mount', '--mount-proc', 'true'];
    const made = await promisify(execFile)('unshare', words).then(
      () => true,
      () => false,
    );
    expect(await detectIsolation('auto')).toMatchObject({ kind: made ? 'namespace' : 'tracking' });
  });

  (asUser.options.holderUid !== undefined && asUser.isPossible ? it : it.skip)(
    'also uses them for a user other than root',
    async () => {
      const script = `import { detectIsolation } from ${JSON.stringify(DETECT)};
        process.stdout.write(JSON.stringify(await detectIsolation('namespace')));`;
      const uid = String(asUser.options.holderUid);
      const words = ['--reuid', uid, '--regid', uid, '--clear-groups', '--', process.execPath, '--input-type=module'];
      const { stdout } = await promisify(execFile)('setpriv', [...words, '-e', script], { cwd: '/', env: {} });
      expect(JSON.parse(stdout)).toMatchObject({ kind: 'namespace', ownUser: false });
    },
  );

  it('throws for `namespace` where namespaces do not work, and uses them where they do', async () => {
    const { kind } = await detectIsolation('auto');
    const asked = detectIsolation('namespace');
    if (kind === 'namespace') await expect(asked).resolves.toMatchObject({ kind: 'namespace' });
    else await expect(asked).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  });
});
