// The OpenAPI document of the HTTP API, derived from the operations.
import { describeOperations } from './describe.ts';
import type { ErrorDescription, JsonSchema, OperationDescription } from './describe.ts';
import { ERRORS } from './wire/errors.ts';

/** The document for this version of Murmur, as plain JSON. */
export function openApiDocument(version: string): JsonSchema {
  return {
    openapi: '3.1.0',
    info: { title: 'Murmur', version, description: INTRODUCTION },
    servers: [{ url: 'http://127.0.0.1:7470', description: 'The embedded stack; `murmur up` prints its address.' }],
    security: [{ token: [] }],
    paths: {
      ...Object.fromEntries(describeOperations().map((each) => [`/v1/${each.name}`, { post: pathOf(each) }])),
      '/v1/uploads/{filename}': { put: UPLOAD_PATH },
      '/health': { get: checkOf('health', 'whether the server answers') },
      '/ready': { get: checkOf('ready', 'whether Temporal answers and a worker polls') },
    },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'The token of MURMUR_HOME/token.' } },
      schemas: { Error: ERROR_SCHEMA },
    },
  };
}

const INTRODUCTION =
  'Every operation is a POST with a JSON object. Errors are `{"error": {code, message, hint, details, request_id}}`. ' +
  'Send an `Idempotency-Key` and repeat it if an answer is lost: the operation takes effect once. Operations that ' +
  'stream answer with server-sent events; resume with `Last-Event-ID`. `event: end` ends a stream for good, ' +
  '`event: reconnect` asks the client to connect again.';

const ERROR_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'request_id'],
      properties: {
        code: { type: 'string', enum: Object.keys(ERRORS) },
        message: { type: 'string', description: 'What is wrong, with the value.' },
        hint: { type: 'string', description: 'What to do next.' },
        details: { type: 'object', description: 'Facts for programs, such as the field or the resolved path.' },
        request_id: { type: 'string', description: "Id of the request in the server's log." },
      },
    },
  },
};

function pathOf(operation: OperationDescription): JsonSchema {
  return {
    operationId: operation.name,
    summary: operation.summary,
    description: operation.description,
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        required: false,
        schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,100}$' },
        description: 'Id of this call. A call that is repeated with the same id takes effect once.',
      },
      ...(operation.stream === 'events' ? [LAST_EVENT_ID] : []),
    ],
    requestBody: { required: true, content: { 'application/json': { schema: operation.input } } },
    responses: {
      200: { description: answerText(operation), content: contentOf(operation) },
      ...errorResponses(operation.errors),
    },
  };
}

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  required: false,
  schema: { type: 'string' },
  description: 'Resume after this event; wins over `from`.',
};

function answerText({ stream }: OperationDescription): string {
  if (stream === 'events') return 'Server-sent events, one JSON object each, with its `id`.';
  return stream === 'result'
    ? 'The answer; as server-sent events when accepted and slow: `progress` events, then `result` or `error`.'
    : 'The answer.';
}

function contentOf(operation: OperationDescription): JsonSchema {
  if (operation.stream === 'events') return { 'text/event-stream': { schema: operation.output } };
  const json = { 'application/json': { schema: operation.output } };
  if (operation.stream !== 'result') return json;
  return { ...json, 'text/event-stream': { schema: { anyOf: [operation.progress, operation.output] } } };
}

/** Descriptions by HTTP status; codes with the same status share one. */
function errorResponses(errors: readonly ErrorDescription[]): JsonSchema {
  const byStatus = new Map<number, ErrorDescription[]>();
  for (const error of errors) byStatus.set(error.http, [...(byStatus.get(error.http) ?? []), error]);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map(({ code, meaning }) => `${code}: ${meaning}`).join(' '),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  );
}

function checkOf(name: string, what: string): JsonSchema {
  return {
    operationId: name,
    summary: what,
    security: [],
    responses: { 200: { description: 'Yes.' }, 503: { description: 'No; the body says why.' } },
  };
}

/** `PUT /v1/uploads/{filename}` for the OpenAPI document. */
const UPLOAD_PATH: JsonSchema = {
  operationId: 'upload_content',
  summary: 'share a file under a URL, by its content',
  description:
    'The request that `upload` sends. The body is the file. It is served with the `Content-Type` of this request, or ' +
    'with the type that its name implies.',
  parameters: [
    { name: 'filename', in: 'path', required: true, schema: { type: 'string', maxLength: 200 } },
    { name: 'workspace', in: 'query', required: false, schema: { type: 'string' } },
    { name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string' } },
  ],
  requestBody: { required: true, content: { '*/*': { schema: { type: 'string', format: 'binary' } } } },
  responses: {
    200: { description: 'The URL.', content: { 'application/json': { schema: { type: 'string' } } } },
    default: {
      description: 'An error: the name, type or size is refused, or the sender is unknown or has ended.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    },
  },
};
