// Taking more of the host than one agent may have.
import type { Attack } from '../attack.ts';
import { linesWith, triedBy } from '../evidence.ts';
import { UPLOADS_MB } from '../ground.ts';

const UNLIMITED = 'without namespaces only what the system limits for the owner is limited';

export const LIMITS: readonly Attack[] = [
  {
    name: 'processes',
    goal: 'start more processes than the limit of 512',
    admitted: { tracking: UNLIMITED },
    attempt: async ({ spawn, client }) => {
      const forker = await spawn('forker');
      const shown = await triedBy(
        forker,
        `node -e '
          const { spawn } = require("child_process"); const all = []; let failed = false;
          for (let i = 0; i < 1400 && !failed; i += 1) { const c = spawn("sleep", ["60"], { stdio: "ignore" }); c.on("error", () => (failed = true)); if (c.pid === undefined) failed = true; else all.push(c); }
          console.log("forked " + all.length); for (const c of all) c.kill("SIGKILL");' 2>&1`,
      );
      await client.call('kill', { slug: forker.slug });
      const count = Number(/forked (\d+)/.exec(shown)?.[1] ?? 0);
      return count > 512 ? [`${String(count)} processes`] : [];
    },
  },
  {
    name: 'shared-memory',
    goal: "fill the host's /dev/shm",
    admitted: { tracking: UNLIMITED },
    attempt: async ({ hostile }) => {
      const name = `murmur-abuse-${String(process.pid)}`;
      const shown = await triedBy(
        hostile,
        `dd if=/dev/zero of=/dev/shm/${name} bs=1M count=400 2>/dev/null; echo "wrote $(stat -c %s /dev/shm/${name} 2>/dev/null)"; rm -f /dev/shm/${name}`,
      );
      const bytes = Number(/wrote (\d+)/.exec(shown)?.[1] ?? 0);
      return bytes > 300 * 1024 * 1024 ? [`${String(bytes)} bytes`] : [];
    },
  },
  {
    name: 'memory',
    goal: 'take more memory than the limit of 4 GiB',
    isLong: true,
    admitted: { tracking: UNLIMITED },
    attempt: async ({ spawn, client }) => {
      const eater = await spawn('eater');
      const shown = await triedBy(
        eater,
        `node --max-old-space-size=16000 -e '
          const all = []; for (let i = 0; i < 56; i += 1) { all.push(Buffer.alloc(100 * 1024 * 1024, 1)); if (i === 55) console.log("got 5600 MiB"); }' 2>&1 | tail -1`,
      ).catch(() => 'it was ended');
      await client.call('kill', { slug: eater.slug });
      return linesWith(shown, 'got ');
    },
  },
  {
    name: 'flood-a-sibling',
    goal: "fill another agent's queue",
    attempt: async ({ hostile, sibling, client }) => {
      const slug = `/w/default/u/${(await client.call('auth', {})).account}/${sibling.slug}`;
      const megabyte = 'x'.repeat(900_000);
      let sent = 0;
      for (let index = 0; index < 60; index += 1) {
        const ok = await hostile.client.call('queue_add', { slug, description: megabyte }).then(
          () => true,
          () => false,
        );
        if (!ok) break;
        sent += 1;
      }
      await client.call('clear_queue', { slug: sibling.slug }).catch(() => undefined);
      return sent >= 40 ? [`${String(sent)} messages of 0.9 MB`] : [];
    },
  },
  {
    name: 'uploads',
    goal: 'fill the disk with uploads',
    attempt: async ({ hostile, api }) => {
      const content = Buffer.alloc(5_000_000, 1);
      let sent = 0;
      for (let index = 0; index < 8; index += 1) {
        const answer = await fetch(`${api}/v1/uploads/x${String(index)}.bin`, {
          method: 'PUT',
          headers: { authorization: `Bearer ${hostile.token}`, 'content-type': 'application/octet-stream' },
          body: content,
        });
        if (!answer.ok) break;
        sent += content.length;
      }
      if (sent === 0) throw new Error('no upload was accepted at all');
      return sent > UPLOADS_MB * 1_000_000 ? [`${String(sent)} bytes`] : [];
    },
  },
  {
    name: 'flood-of-messages',
    goal: 'send hundreds of messages a second',
    attempt: async ({ hostile }) => {
      const began = performance.now();
      const sends = Array.from({ length: 300 }, () =>
        hostile.client.call('notify', { slug: '', message: 'x' }).then(
          () => 1,
          () => 0,
        ),
      );
      const sent = (await Promise.all(sends)).reduce<number>((sum, each) => sum + each, 0);
      const seconds = (performance.now() - began) / 1_000;
      return sent > 100 + 20 * seconds ? [`${String(sent)} in ${seconds.toFixed(1)} s`] : [];
    },
  },
];
