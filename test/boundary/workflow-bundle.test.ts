// What gets into the workflow sandbox, and that histories can be read from JSON.
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DefaultLogger } from '@temporalio/worker';
import { buildWorkflowBundle } from '../../worker/workflow-bundle.ts';

let modules: string[] = [];
beforeAll(async () => {
  const code = await buildWorkflowBundle(new DefaultLogger('ERROR'));
  modules = [...code.matchAll(/^\/\*!\*+!\*\\\n\s+!\*\*\* (\S+) (?:sync )?/gm)].map((match) => match[1] ?? '');
}, 120_000);

/** Names of the npm packages that modules come from. */
function packages(): string[] {
  const names = modules
    .map((module) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(module)?.[1])
    .filter((name) => name !== undefined);
  return [...new Set(names)].sort();
}

describe('the workflow bundle', () => {
  it("has Temporal's workflow packages, what these need, and no other", () => {
    expect(packages()).toEqual(['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']);
  });

  it('has of ours the workflows and contract/wire, and no other', () => {
    const ours = modules.filter((module) => module.startsWith('./') && !module.includes('node_modules'));
    const folders = new Set(
      ours.map((module) => /^\.\/(?:contract\/wire|workflows)(?=\/)/.exec(module)?.[0] ?? module),
    );
    expect([...folders].sort()).toEqual(['./contract/wire', './workflows']);
  });
});

it('there is one copy of protobufjs for all packages of Temporal, as histories cannot be read from JSON otherwise', () => {
  const require = createRequire(import.meta.url);
  const copyOf = (name: string): string =>
    createRequire(require.resolve(`@temporalio/${name}/package.json`)).resolve('protobufjs/minimal');
  const copies = ['common', 'proto', 'worker', 'client', 'testing'].map(copyOf);
  expect(new Set(copies)).toEqual(new Set([require.resolve('protobufjs/minimal')]));
});
