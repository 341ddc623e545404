// The content of the workflow bundle, and the reading of histories from JSON.
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DefaultLogger } from '@temporalio/worker';
import { buildWorkflowBundle } from '../../worker/workflow-bundle.ts';

let modules: string[] = [];
beforeAll(async () => {
  const code = await buildWorkflowBundle(new DefaultLogger('ERROR'));
  modules = [...code.matchAll(/^\/\*!\*+!\*\\\n\s+!\*\*\* (\S+) (?:sync )?/gm)].map((match) => match[1] ?? '');
}, 120_000);

/** Names of the npm packages of the modules. */
function packages(): string[] {
  const names = modules
    .map((module) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(module)?.[1])
    .filter((name) => name !== undefined);
  return [...new Set(names)].sort();
}

describe('the workflow bundle', () => {
  it("has only Temporal's workflow packages and their dependencies", () => {
    expect(packages()).toEqual(['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']);
  });

  it('has only workflows and contract/wire of our code', () => {
    const ours = modules.filter((module) => module.startsWith('./') && !module.includes('node_modules'));
    const folders = new Set(
      ours.map((module) => /^\.\/(?:contract\/wire|workflows)(?=\/)/.exec(module)?.[0] ?? module),
    );
    expect([...folders].sort()).toEqual(['./contract/wire', './workflows']);
  });
});

it('all packages of Temporal share one copy of protobufjs; otherwise histories cannot be read from JSON', () => {
  const require = createRequire(import.meta.url);
  const copyOf = (name: string): string =>
    createRequire(require.resolve(`@temporalio/${name}/package.json`)).resolve('protobufjs/minimal');
  const copies = ['common', 'proto', 'worker', 'client', 'testing'].map(copyOf);
  expect(new Set(copies)).toEqual(new Set([require.resolve('protobufjs/minimal')]));
});
