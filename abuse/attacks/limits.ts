// Attacks on the host's resources.
import type { Attack } from '../attack.ts';
import { isRefusal, numberIn, triedBy } from '../evidence.ts';
import { UPLOADS_MB } from '../testbed.ts';
import { busyFor } from '../hostile.ts';

const UNLIMITED = 'without namespaces, only the system limits of the owner apply';

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
      const count = numberIn(shown, /forked (\d+)/);
      if (count === 0) throw new Error('it could start no process at all');
      return count > 512 ? [`${String(count)} processes`] : [];
    },
  },
  {
    name: 'git-processes',
    goal: 'start hundreds of git processes of the owner through the git broker',
    attempt: async ({ asOwner, owner, spawn, client }) => {
      await asOwner(`git clone -q --bare ${owner.privateRepository} ${owner.home}/cloned.git`);
      const fetcher = await spawn('fetcher', `file://${owner.home}/cloned.git`);
      const request = JSON.stringify({ kind: 'local', service: 'git-upload-pack', args: [`${owner.home}/cloned.git`] });
      const shown = await triedBy(
        fetcher,
        `cd "$(dirname "$(dirname "$GIT_CONFIG_GLOBAL")")" && node -e '
          const net = require("net"); let served = 0, answered = 0;
          for (let i = 0; i < 200; i += 1) { const c = net.connect("git.sock"); c.on("error", () => {});
            c.once("data", (d) => { answered += 1; if (d[0] === 1) served += 1; if (answered === 200) end(); }); c.write(process.argv[1] + "\\n"); }
          const end = () => { console.log("answered " + answered + " served " + served); process.exit(); };
          setTimeout(end, 30000);' '${request}'`,
      );
      await client.call('kill', { slug: fetcher.slug });
      const count = numberIn(shown, /served (\d+)/);
      if (count === 0) throw new Error(`it was served nothing at all: ${shown}`);
      return count > 64 ? [`${String(count)} processes`] : [];
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
      const bytes = numberIn(shown, /wrote (\d+)/);
      if (bytes === 0) throw new Error('it could write nothing at all');
      return bytes > 300 * 1024 * 1024 ? [`${String(bytes)} bytes`] : [];
    },
  },
  {
    name: 'memory',
    goal: 'use more memory than the limit of 4 GiB',
    isLong: true,
    admitted: { tracking: UNLIMITED },
    attempt: async ({ spawn, client }) => {
      const eater = await spawn('eater');
      const shown = await triedBy(
        eater,
        `node --max-old-space-size=16000 -e '
          const all = []; for (let i = 1; i <= 56; i += 1) { all.push(Buffer.alloc(100 * 1024 * 1024, 1)); console.log("took " + i * 100 + " MiB"); }' >taken 2>/dev/null
        grep took taken | tail -1`,
      );
      await client.call('kill', { slug: eater.slug });
      // It has taken some memory before it was ended.
      const mebibytes = numberIn(shown, /took (\d+) MiB/);
      return mebibytes > 5_500 ? [`${String(mebibytes)} MiB`] : [];
    },
  },
  {
    name: 'flood-a-sibling',
    goal: "fill another agent's queue, so that it stops",
    attempt: async ({ hostile, client, spawn }) => {
      const sibling = await spawn('flooded');
      await client.call('queue_add', { slug: sibling.slug, description: busyFor(5) });
      const slug = `/w/default/u/${(await client.call('auth', {})).account}/${sibling.slug}`;
      const megabyte = 'x'.repeat(900_000);
      let sent = 0;
      for (let index = 0; index < 60; index += 1) {
        const isSent = await hostile.client.call('queue_add', { slug, description: megabyte }).then(
          () => true,
          (error: unknown) => !isRefusal(error),
        );
        if (!isSent) break;
        sent += 1;
      }
      if (sent === 0) throw new Error('no message was accepted at all');
      const goesOn = await sibling.shell('true').then(
        () => true,
        () => false,
      );
      await client.call('kill', { slug: sibling.slug });
      return [
        ...(sent >= 40 ? [`${String(sent)} messages of 0.9 MB`] : []),
        ...(goesOn ? [] : ['it takes no turn any more']),
      ];
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
      return sent > UPLOADS_MB * 1_048_576 ? [`${String(sent)} bytes`] : [];
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
          (error: unknown) => (isRefusal(error) ? 0 : 1),
        ),
      );
      const sent = (await Promise.all(sends)).reduce<number>((sum, each) => sum + each, 0);
      if (sent === 0) throw new Error('no message was accepted at all');
      const seconds = (performance.now() - began) / 1_000;
      return sent > 100 + 20 * seconds ? [`${String(sent)} in ${seconds.toFixed(1)} s`] : [];
    },
  },
];
