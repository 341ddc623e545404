// The MCP tools as literals, and that they correspond to the commands.
import { describe, expect, test } from '@jest/globals';
import { grammarOf, argName, flagName } from '../../cli/derive/grammar.ts';
import { describeOperation } from '../../contract/describe.ts';
import { describeTools } from '../../contract/mcp.ts';
import { errorResultOf, progressLineOf, resultOf } from '../../contract/mcp-call.ts';
import type { ToolDescription } from '../../contract/mcp-call.ts';
import { operations } from '../../contract/operations/index.ts';
import type { Operation } from '../../contract/operation.ts';
import { MurmurError } from '../../contract/wire/errors.ts';

/** Tool → its fields, with `!` if a model must set them. */
const TOOLS: Readonly<Record<string, string>> = {
  ls: 'all developer workspace',
  status: 'slug! workspace children timeline',
  wait: 'slug! workspace slugs mode phase',
  kill: 'slug! workspace',
  interrupt: 'slug! workspace',
  queue_add: 'slug! workspace description! tasks',
  clear_queue: 'slug workspace',
  task_create: 'slug workspace subject! description activate_when pattern',
  task_update: 'slug workspace task_id! status subject description add_blocks add_blocked_by',
  task_list: 'slug workspace active',
  task_get: 'slug workspace task_id!',
  version: '',
};

const tools = describeTools();

function toolNamed(name: string): ToolDescription {
  const tool = tools.find((each) => each.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  return tool;
}

function shownFields({ inputSchema: { properties, required } }: ToolDescription): string {
  return Object.keys(properties)
    .map((name) => `${name}${required.includes(name) ? '!' : ''}`)
    .join(' ');
}

describe('the tools', () => {
  test.each(Object.entries(TOOLS))('%s has the fields of its page', (name, fields) => {
    expect(shownFields(toolNamed(name))).toBe(fields);
  });

  test('spawn does not offer fields that are only for people', () => {
    const { properties } = toolNamed('spawn').inputSchema;
    expect(Object.keys(properties)).toEqual(expect.arrayContaining(['slug', 'description', 'tasks', 'out']));
    expect(properties).not.toHaveProperty('secrets');
    expect(properties).not.toHaveProperty('rights');
  });

  test('are exactly the operations with `mcp`', () => {
    const hinted = Object.values(operations).filter((operation: Operation) => operation.mcp !== undefined);
    expect(tools.map(({ name }) => name)).toEqual(hinted.map(({ name }) => name));
    for (const name of ['spawn', ...Object.keys(TOOLS)]) expect(tools.map((tool) => tool.name)).toContain(name);
    for (const name of ['session_send', 'session_watch', 'auth', 'auth_token_create']) {
      expect(tools.map((tool) => tool.name)).not.toContain(name);
    }
  });

  test('have hints on what they change', () => {
    expect(toolNamed('kill').annotations).toEqual({
      readOnlyHint: false,
      destructiveHint: true,
      idempotentHint: true,
      openWorldHint: false,
    });
    expect(toolNamed('status').annotations).toMatchObject({ readOnlyHint: true, destructiveHint: false });
  });

  test('have the values, defaults and ranges of their fields, without our mark', () => {
    const { properties } = toolNamed('spawn').inputSchema;
    expect(properties['on_idle']).toMatchObject({ enum: ['keep_alive', 'terminate'], default: 'keep_alive' });
    expect(properties['purpose']).toMatchObject({ type: 'string', maxLength: 240 });
    expect(properties['repos']).toMatchObject({
      maxItems: 20,
      items: { required: ['clone_url'], additionalProperties: false },
    });
    expect(toolNamed('status').inputSchema.properties['children']).toMatchObject({ type: 'boolean', default: false });
    expect(toolNamed('clear_queue').inputSchema.properties['slug']).toMatchObject({ default: '' });
    expect(toolNamed('kill').inputSchema.properties['slug']).not.toHaveProperty('default');
    expect(JSON.stringify(tools)).not.toContain('x-other-spellings');
  });
});

/** Fields that only one of the two has; `mcp.without` of the operation has the reason. */
describe.each(tools.map((tool) => [tool.name, tool] as const))('%s', (name, tool) => {
  const operation: Operation = operations[name as keyof typeof operations];
  const description = describeOperation(operation);
  const fields = Object.keys(tool.inputSchema.properties);

  test('has the same fields as its command has flags and positionals', () => {
    const { args, flags } = grammarOf(description);
    const onlyHere = operation.mcp?.without ?? [];
    const common = ['json', 'debug', 'help'];
    const typed = [...args, ...flags].map((each) => each.name).filter((each) => !common.includes(each));
    const isArg = (field: string): boolean => operation.cli.args.includes(field);
    const named = [...fields, ...onlyHere].map((field) =>
      isArg(field) ? argName(description, field) : flagName(description, field),
    );
    expect(named.toSorted()).toEqual(typed.toSorted());
  });

  test('requires the same fields as its command, and describes every field', () => {
    const { args, flags } = grammarOf(description);
    const demanded = fields.filter((field) =>
      [...args, ...flags].some(
        (each) =>
          each.required === true && [argName(description, field), flagName(description, field)].includes(each.name),
      ),
    );
    // On an agent's machine the slug is optional; for a tool, the operation decides that.
    const { required } = tool.inputSchema;
    for (const field of demanded) if (argName(description, field) !== 'slug') expect(required).toContain(field);
    for (const field of fields) {
      expect([field, tool.inputSchema.properties[field]?.['description']]).toEqual([
        field,
        expect.stringMatching(/\S{3}/),
      ]);
    }
  });
});

describe('results', () => {
  test('lists and texts have a key in structured content', () => {
    expect(resultOf(toolNamed('task_list'), [])).toEqual({
      content: [{ type: 'text', text: '[]' }],
      structuredContent: { tasks: [] },
    });
    const plain = { ...toolNamed('version'), answer: {} };
    expect(resultOf(plain, 'http://x')).toEqual({
      content: [{ type: 'text', text: 'http://x' }],
      structuredContent: { result: 'http://x' },
    });
  });

  test('an error has its code, message and hint as text and in structured content', () => {
    expect(errorResultOf(new MurmurError('UNAVAILABLE', 'no worker', { hint: 'run it', details: { a: 1 } }))).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'UNAVAILABLE: no worker\nhint: run it' }],
      structuredContent: { error: { code: 'UNAVAILABLE', message: 'no worker', hint: 'run it', details: { a: 1 } } },
    });
  });

  test('progress is one line', () => {
    expect(progressLineOf({ phase: 'running', progress: '[tool] Bash(npm test)', progress_at: 'x' })).toBe(
      'running  [tool] Bash(npm test)',
    );
    expect(progressLineOf({})).toBe('');
  });
});
