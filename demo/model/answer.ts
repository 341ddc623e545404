// Writes one step as an answer of the Messages API: a stream of server-sent events, one JSON body, or a failure.
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { ModelRequest } from './request.ts';
import type { ContentBlock, ModelStep } from './step.ts';
import { contentOf } from './step.ts';

/** The Messages API's `error.type` for each status. */
const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** Limits of the pieces of a text: not too many for a megabyte, and small enough to see a sentence arrive. */
const MOST_PIECES = 200;
const SMALLEST_PIECE = 16;

/** Delay of a cut, so that the client first receives what was written before. */
const BEFORE_CUT_MS = 50;

/** A unique id in the API's form. */
export function newId(prefix: string): string {
  return prefix + randomBytes(12).toString('hex');
}

/** Answers with an error body. */
export function refuse(response: ServerResponse, step: ModelStep & { readonly status: number }): void {
  const type = step.errType ?? ERROR_TYPES[step.status] ?? 'api_error';
  response.writeHead(step.status, {
    'content-type': 'application/json',
    'request-id': newId('req_'),
    ...step.headers,
  });
  response.end(JSON.stringify({ type: 'error', error: { type, message: step.message ?? `scripted ${step.status}` } }));
}

/**
 * Sends the step as the answer. With `fails`, including its wire faults (`cut`, `malformed`, `sseError`). Resolves when
 * all is written or the client has disconnected.
 */
export async function answer(
  response: ServerResponse,
  request: ModelRequest,
  step: ModelStep,
  fails: boolean,
): Promise<void> {
  if (fails && step.cut === 'start') return void response.destroy();
  const content = contentOf(step, () => newId('toolu_'));
  const usage = {
    input_tokens: 100,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 20,
    ...step.usage,
  };
  const stop_reason = step.stop ?? (content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn');
  const message = {
    id: newId('msg_'),
    type: 'message',
    role: 'assistant',
    model: request.model,
    content,
    stop_reason,
    stop_sequence: null,
    usage: { ...usage, service_tier: 'standard' },
  };
  const streams = request.body['stream'] === true;
  request.firstByteAt = Date.now();
  response.writeHead(200, {
    'content-type': streams ? 'text/event-stream; charset=utf-8' : 'application/json',
    'cache-control': 'no-cache',
    'request-id': newId('req_'),
  });
  if (!streams) {
    // A non-streamed answer breaks too: after a broken stream, the client requests one.
    const body = JSON.stringify(message);
    if (!fails) return void response.end(body);
    response.write(body.slice(0, body.length / 2));
    return step.malformed === true ? void response.end() : await cut(response);
  }

  const send = (type: string, data: object): void =>
    void response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  send('message_start', {
    message: { ...message, content: [], stop_reason: null, usage: { ...message.usage, output_tokens: 1 } },
  });
  if (fails && step.sseError !== undefined) {
    send('error', { error: { type: step.sseError, message: step.message ?? 'scripted error in the stream' } });
    return void response.end();
  }
  if (fails && step.malformed === true) {
    response.write('event: content_block_start\ndata: {"type":"content_block_start", oops\n\n');
    return void response.end();
  }
  for (const [index, block] of content.entries()) {
    const { start, deltas } = piecesOf(block);
    send('content_block_start', { index, content_block: start });
    for (const [piece, delta] of deltas.entries()) {
      if (response.destroyed) return;
      send('content_block_delta', { index, delta });
      if (fails && step.cut === 'mid' && piece + 1 >= deltas.length / 2) return await cut(response);
      if (step.chunkMs !== undefined && block.type === 'text') await delay(step.chunkMs);
    }
    send('content_block_stop', { index });
  }
  if (fails && step.cut === 'preend') return await cut(response);
  send('message_delta', { delta: { stop_reason, stop_sequence: null }, usage });
  send('message_stop', {});
  response.end();
}

async function cut(response: ServerResponse): Promise<void> {
  await delay(BEFORE_CUT_MS);
  response.destroy();
}

/** The opening event of a block, and its deltas. */
function piecesOf(block: ContentBlock): { readonly start: object; readonly deltas: readonly object[] } {
  switch (block.type) {
    case 'text':
      return {
        start: { type: 'text', text: '' },
        deltas: pieces(block.text).map((text) => ({ type: 'text_delta', text })),
      };
    case 'thinking':
      return {
        start: { type: 'thinking', thinking: '', signature: '' },
        deltas: [
          { type: 'thinking_delta', thinking: block.thinking },
          { type: 'signature_delta', signature: block.signature },
        ],
      };
    case 'tool_use':
      return {
        start: { type: 'tool_use', id: block.id, name: block.name, input: {} },
        deltas: pieces(JSON.stringify(block.input)).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      };
  }
}

function pieces(text: string): readonly string[] {
  const size = Math.max(SMALLEST_PIECE, Math.ceil(text.length / MOST_PIECES));
  return text.match(new RegExp(`[^]{1,${size}}`, 'gu')) ?? [''];
}
