// Rules for all operations, so that surfaces can be derived from them.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { describeOperations } from '../../../contract/describe.ts';
import { operations } from '../../../contract/operations/index.ts';
import type { Operation } from '../../../contract/operation.ts';
import { ERRORS } from '../../../contract/wire/errors.ts';

const FOLDER = join(import.meta.dirname, '../../../contract/operations');
const all: [string, Operation][] = Object.entries(operations);

test('every file of the folder is an operation of the registry', async () => {
  const files = (await readdir(FOLDER)).filter((name) => name !== 'index.ts');
  expect(files.map((name) => name.replace('.ts', '').replaceAll('-', '_')).toSorted()).toEqual(
    all.map(([name]) => name).toSorted(),
  );
});

test('no two operations share a command', () => {
  const commands = all.map(([, { cli }]) => cli.command);
  expect(new Set(commands).size).toBe(commands.length);
});

describe.each(all)('%s', (name, operation) => {
  const { cli, input } = operation;
  const fields = Object.keys(input.shape);

  test('is registered under its own name, in snake case', () => {
    expect(operation.name).toBe(name);
    expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
  });

  test('has a summary in lower case without a full stop, and a description in sentences', () => {
    expect(operation.summary).toMatch(/^[a-z].*[^.]$/);
    expect(operation.description).toMatch(/^[A-Z][\s\S]*\.$/);
  });

  test('describes every input field', () => {
    for (const field of describeOperations().find((each) => each.name === name)?.fields ?? []) {
      expect([field.name, field.description]).toEqual([field.name, expect.stringMatching(/^\S[\s\S]{10,}/)]);
    }
  });

  test('refuses unknown fields', () => {
    const result = input.safeParse({ never_heard_of: 1 });
    expect(result.error?.issues.some(({ code }) => code === 'unrecognized_keys')).toBe(true);
  });

  test('names only errors of the table, without the common ones', () => {
    for (const code of operation.errors) expect(Object.keys(ERRORS)).toContain(code);
    expect(operation.errors).not.toContain('UNAUTHENTICATED');
    expect(new Set(operation.errors).size).toBe(operation.errors.length);
  });

  test('has command line hints that fit its fields', () => {
    for (const field of [...cli.args, ...Object.keys(cli.flags ?? {}), ...Object.keys(cli.argNames ?? {})]) {
      expect(fields).toContain(field);
    }
    if (cli.rest !== undefined) expect(cli.args.at(-1)).toBe(cli.rest);
    expect(cli.examples.length).toBeGreaterThan(0);
    for (const { line } of cli.examples) expect(line === cli.command || line.startsWith(`${cli.command} `)).toBe(true);
  });

  test('prints only fields of its answer', () => {
    const { properties = {} } = z.toJSONSchema(operation.output, { io: 'output' });
    for (const [, field] of cli.prints?.matchAll(/\{([^}]*)\}/g) ?? [])
      expect(Object.keys(properties)).toContain(field);
  });

  test('has a slug and an access right if it is a plain message', () => {
    if (operation.to === undefined) return;
    expect(fields).toContain('slug');
    expect(['message', 'change', 'own']).toContain(operation.access);
  });

  test('has progress events exactly if it streams a result', () => {
    expect(operation.progress !== undefined).toBe(operation.stream === 'result');
  });

  test('has input and output that JSON Schema can express', () => {
    expect(() => z.toJSONSchema(input, { io: 'input' })).not.toThrow();
    expect(() => z.toJSONSchema(operation.output, { io: 'output' })).not.toThrow();
  });
});
