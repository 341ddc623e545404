// The one call of the HTTP API that is no operation: the content of a file, for `upload`.
import type { JsonSchema } from './describe.ts';

/** `PUT /v1/uploads/{filename}` for the OpenAPI document. */
export const UPLOAD_PATH: JsonSchema = {
  operationId: 'upload_content',
  summary: 'share a file under a URL, by its content',
  description:
    'What `upload` sends for the caller. The body is the file, its `Content-Type` the type that it is served with; ' +
    'without one the name tells it.',
  parameters: [
    { name: 'filename', in: 'path', required: true, schema: { type: 'string', maxLength: 200 } },
    { name: 'workspace', in: 'query', required: false, schema: { type: 'string' } },
    { name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string' } },
  ],
  requestBody: { required: true, content: { '*/*': { schema: { type: 'string', format: 'binary' } } } },
  responses: {
    200: { description: 'The URL.', content: { 'application/json': { schema: { type: 'string' } } } },
    default: {
      description: 'An error: the name, the type or the size is refused, the sender is unknown or has gone.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    },
  },
};
