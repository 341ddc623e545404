// The interface that the product's pages promise, as literals, so that a change is deliberate.
import { describe, expect, test } from '@jest/globals';
import { describeOperations } from '../../../contract/describe.ts';
import { openApiDocument } from '../../../contract/openapi.ts';

/** Field, type, `!` if required, values and default. */
const INPUTS: Readonly<Record<string, readonly string[]>> = {
  spawn: [
    'slug string =""',
    'description string =""',
    'workspace string',
    'repos objects =[]',
    'allow_repos strings =[]',
    'branch string',
    'purpose string',
    'model string',
    'out string',
    'tasks strings =[]',
    'append_system_prompt string',
    'dequeue_strategy enum all|one|five ="all"',
    'on_idle enum keep_alive|terminate ="keep_alive"',
    'completion_check enum none|assessor ="none"',
    'max_cost_usd number',
    'rights enum owner',
    'each string',
    'flight string',
    'flight_source string',
    'flight_inputs json',
    'secrets map ={}',
  ],
  each: [
    'slug string!',
    'description string!',
    'items strings =[]',
    'max_concurrent integer =20',
    'dry_run boolean =false',
    'workspace string',
    'repos objects =[]',
    'allow_repos strings =[]',
    'branch string',
    'purpose string',
    'model string',
    'out string',
    'tasks strings =[]',
    'append_system_prompt string',
    'dequeue_strategy enum all|one|five ="all"',
    'on_idle enum keep_alive|terminate ="keep_alive"',
    'completion_check enum none|assessor ="none"',
    'max_cost_usd number',
    'rights enum owner',
    'secrets map ={}',
  ],
  ls: ['all boolean =false', 'developer string', 'workspace string'],
  status: [
    'slug string =""',
    'workspace string',
    'children boolean =false',
    'timeline enums phase|child|taskComplete|commit|push|checks|followUp|upload',
  ],
  wait: [
    'slug string =""',
    'workspace string',
    'slugs strings',
    'mode enum all|any ="all"',
    'phase enum starting|running|task-complete|idle|completed|failed|canceled',
  ],
  watch: ['slug string =""', 'workspace string', 'from string ="0"'],
  turns: ['slug string =""', 'workspace string'],
  kill: ['slug string =""', 'workspace string'],
  session_watch: ['slug string =""', 'workspace string', 'from string ="0"'],
  session_send: ['slug string =""', 'workspace string', 'message string!'],
  interrupt: ['slug string =""', 'workspace string'],
  session_stop: ['slug string =""', 'workspace string'],
  notify: ['slug string =""', 'workspace string', 'message string!'],
  queue_add: ['slug string =""', 'workspace string', 'description string!', 'tasks strings =[]'],
  clear_queue: ['slug string =""', 'workspace string'],
  queue_strategy: ['slug string =""', 'workspace string', 'strategy enum! all|one|five'],
  budget: ['slug string =""', 'workspace string', 'max_cost_usd number!'],
  flight_status: ['slug string =""', 'workspace string'],
  flight_approve: ['slug string =""', 'workspace string', 'node string!'],
  flight_rerun: ['slug string =""', 'workspace string', 'node string!'],
  flight_items: ['slug string =""', 'workspace string', 'node string!', 'items strings =[]'],
  task_create: [
    'slug string =""',
    'workspace string',
    'subject string!',
    'description string',
    'activate_when enum files_modified',
    'pattern string',
  ],
  task_update: [
    'slug string =""',
    'workspace string',
    'task_id string!',
    'status enum pending|in_progress|done|skipped|deleted',
    'subject string',
    'description string',
    'add_blocks strings',
    'add_blocked_by strings',
  ],
  task_list: ['slug string =""', 'workspace string', 'active boolean =false'],
  task_get: ['slug string =""', 'workspace string', 'task_id string!'],
  upload: ['filename string!', 'path string!', 'content_type string', 'workspace string'],
  port_url: ['port integer!'],
  agent_url: ['slug string =""', 'workspace string', 'key boolean =false'],
  machine_ls: ['developer string'],
  machine_rm: ['name string!'],
  auth: [],
  auth_token_create: ['label string', 'expires_in string'],
  auth_token_ls: [],
  auth_token_revoke: ['id string!'],
  version: [],
};

const COMMANDS: Readonly<Record<string, string>> = {
  spawn: 'spawn <slug> <description...>',
  each: 'each <slug> <description...>',
  ls: 'ls',
  status: 'status <slug>',
  wait: 'wait <slugs...>',
  watch: 'watch <slug>',
  turns: 'turns <slug>',
  kill: 'kill <slug>',
  session_watch: 'session watch <slug>',
  session_send: 'session send <slug> <message...>',
  interrupt: 'session interrupt <slug>',
  session_stop: 'session stop <slug>',
  notify: 'notify <slug> <message...>',
  budget: 'budget <slug> <max_cost_usd>',
  queue_add: 'queue add <slug> <description...>',
  clear_queue: 'queue clear <slug>',
  queue_strategy: 'queue strategy <slug> <strategy>',
  flight_status: 'flight status <slug>',
  flight_approve: 'flight approve <slug> <node>',
  flight_rerun: 'flight rerun <slug> <node>',
  flight_items: 'flight items <slug> <node>',
  task_create: 'task create <slug> <subject...>',
  task_update: 'task update <slug> <task_id>',
  task_list: 'task ls <slug>',
  task_get: 'task get <slug> <task_id>',
  upload: 'upload <path>',
  port_url: 'url port <port...>',
  agent_url: 'url agent <slug>',
  machine_ls: 'machine ls',
  machine_rm: 'machine rm <name>',
  auth: 'auth',
  auth_token_create: 'auth token create',
  auth_token_ls: 'auth token ls',
  auth_token_revoke: 'auth token revoke <id>',
  version: 'version',
};

const described = describeOperations();

test('the operations and their inputs are these', () => {
  const inputs = described.map(({ name, fields }) => [
    name,
    fields.map(({ name: field, type, required, values, ...rest }) =>
      [
        `${field} ${type}${required ? '!' : ''}`,
        ...(values === undefined ? [] : [values.join('|')]),
        ...('default' in rest ? [`=${JSON.stringify(rest.default)}`] : []),
      ].join(' '),
    ),
  ]);
  expect(Object.fromEntries(inputs)).toEqual(INPUTS);
});

test('the commands and their positionals are these', () => {
  const commands = described.map(({ name, cli }) => [
    name,
    [cli.command, ...cli.args.map((arg) => `<${arg}${arg === cli.rest ? '...' : ''}>`)].join(' '),
  ]);
  expect(Object.fromEntries(commands)).toEqual(COMMANDS);
});

test('these stream events, and these report progress', () => {
  const streams = (kind: string): string[] => described.filter(({ stream }) => stream === kind).map(({ name }) => name);
  expect(streams('events')).toEqual(['watch', 'session_watch']);
  expect(streams('result')).toEqual(['wait', 'kill']);
});

test('a repository is clone_url, base_branch and branch; only the first is required', () => {
  const repos = described[0]?.fields.find(({ name }) => name === 'repos');
  expect(repos?.schema).toMatchObject({
    type: 'array',
    items: {
      required: ['clone_url'],
      additionalProperties: false,
      properties: { clone_url: { type: 'string' }, base_branch: { type: 'string' }, branch: { type: 'string' } },
    },
  });
});

test('phases and task statuses are marked as accepting other spellings', () => {
  const marked = described.flatMap(({ name, fields }) =>
    fields.filter(({ otherSpellings }) => otherSpellings).map((field) => `${name}.${field.name}`),
  );
  expect(marked).toEqual(['wait.phase', 'task_update.status']);
});

test('queue_add can return the codes of the product’s page and the common ones', () => {
  const errors = described.find(({ name }) => name === 'queue_add')?.errors;
  expect(errors?.map(({ code, http, exit }) => [code, http, exit])).toEqual([
    ['INVALID_ARGUMENT', 400, 2],
    ['NOT_FOUND', 404, 4],
    ['FAILED_PRECONDITION', 409, 6],
    ['UNAUTHENTICATED', 401, 3],
    ['UNAVAILABLE', 503, 9],
    ['INTERNAL', 500, 1],
  ]);
});

describe('the OpenAPI document', () => {
  const document = openApiDocument('1.2.3') as {
    openapi: string;
    paths: Record<string, unknown>;
    components: { schemas: Record<string, unknown> };
  };

  test('has one path per operation, one for the content of uploads, and two health checks', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths)).toEqual([
      ...Object.keys(INPUTS).map((name) => `/v1/${name}`),
      '/v1/uploads/{filename}',
      '/health',
      '/ready',
    ]);
  });

  test('has no dangling reference', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    expect(references.length).toBeGreaterThan(0);
    for (const [, name = ''] of references) expect(Object.keys(document.components.schemas)).toContain(name);
    expect(JSON.stringify(document)).not.toContain('#/$defs');
  });

  test('is the same after a JSON round trip', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });
});
