// The demo's sample project: a small repository with a failing test, and a bare `origin` beside it.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

export interface Sample {
  /** Bare repository that the agent clones from and pushes to. */
  readonly origin: string;
  /** The developer's checkout, with `origin` as its remote and `main` pushed. */
  readonly checkout: string;
}

const FILES: Readonly<Record<string, string>> = {
  'package.json': `${JSON.stringify({ name: 'price-list', type: 'module', scripts: { test: 'node --test' } }, null, 2)}\n`,
  'README.md': '# price-list\n\nAdds up the prices of an order.\n',
  'total.js': `/** Sum of price times quantity, with the discount (a fraction) taken off. */
export function total(items, discount = 0) {
  const sum = items.reduce((all, item) => all + item.price, 0);
  return sum * (1 - discount);
}
`,
  'total.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { total } from './total.js';

test('counts every piece of an item', () => {
  assert.equal(total([{ price: 3, quantity: 2 }, { price: 4, quantity: 1 }]), 10);
});

test('takes the discount off', () => {
  assert.equal(total([{ price: 10, quantity: 1 }], 0.5), 5);
});
`,
  'benchmark.js': `// Adds up a very large order, slowly: runs for ten minutes.
import { total } from './total.js';

const item = { price: 1, quantity: 1 };
const end = Date.now() + 600_000;
const round = () => (total(Array(1_000).fill(item)), Date.now() < end && setTimeout(round, 50));
round();
`,
};

/** Creates the sample below `directory`, which must exist. Throws if git fails. */
export async function makeSample(directory: string): Promise<Sample> {
  const origin = join(directory, 'price-list.git');
  const checkout = join(directory, 'checkout');
  await mkdir(checkout);
  await execa('git', ['init', '--quiet', '--bare', '--initial-branch=main', origin]);
  const git = (...args: string[]) => execa('git', args, { cwd: checkout });
  await git('init', '--quiet', '--initial-branch=main');
  for (const [name, content] of Object.entries(FILES)) await writeFile(join(checkout, name), content);
  await git('config', 'user.name', 'Demo Developer');
  await git('config', 'user.email', 'developer@example.com');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', 'Price list with a test that fails');
  await git('remote', 'add', 'origin', origin);
  await git('push', '--quiet', '--set-upstream', 'origin', 'main');
  return { origin, checkout };
}
