// `npm run upgrade -- [--from <commit>]… [--way stopped|in mid-turn]`: checks that agents of an earlier build continue
// under the current code. Prints the result of each check; exits with 1 if one fails.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { keptBuilds } from './upgrade/kept-builds.ts';
import { earlierBuild } from './upgrade/earlier-build.ts';
import { upgradeFrom, WAYS } from './upgrade/upgrade.ts';

const { values } = parseArgs({
  options: { from: { type: 'string', multiple: true }, way: { type: 'string', multiple: true } },
});
const unknown = values.way?.find((way) => !WAYS.some((each) => each === way));
if (unknown !== undefined) {
  process.stderr.write(`unknown way ${JSON.stringify(unknown)}; use one of ${WAYS.join(', ')}\n`);
  process.exit(2);
}
const ways = WAYS.filter((way) => values.way === undefined || values.way.includes(way));
const folder = await mkdtemp(join(tmpdir(), 'murmur-upgrade-'));
let failures = 0;
try {
  for (const ref of values.from ?? (await keptBuilds())) {
    const build = await earlierBuild(ref, folder);
    for (const way of ways) {
      const began = performance.now();
      process.stdout.write(`\nfrom ${build.commit}, left ${way}\n`);
      for (const { name, problem } of await upgradeFrom(build, way)) {
        process.stdout.write(`${problem === undefined ? 'ok    ' : 'FAILED'} ${name}\n`);
        if (problem === undefined) continue;
        failures += 1;
        process.stdout.write(`${problem.replace(/^/gm, '         ')}\n`);
      }
      process.stdout.write(`       ${((performance.now() - began) / 1_000).toFixed(1)} s\n`);
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.stdout.write(`\n${failures === 0 ? 'all checks passed' : `${failures.toString()} checks failed`}\n`);
process.exit(failures === 0 ? 0 : 1);
