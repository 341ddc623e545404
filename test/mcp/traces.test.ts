// The place of a tool's call in a trace: what `murmur mcp` sends to the API server, and to a collector.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { json, startScripted } from '../client/fixture.ts';
import type { ScriptedServer } from '../client/fixture.ts';
import { temporaryFolder } from '../drivers/temporary-folder.ts';
import { startOtlpCollector } from '../fixtures/otlp-collector.ts';
import type { OtlpCollector } from '../fixtures/otlp-collector.ts';
import { overStdio } from './fixtures/client.ts';
import type { McpClient } from './fixtures/client.ts';

jest.setTimeout(60_000);

const TOLD = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const INHERITED = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;

let api: ScriptedServer;
let collector: OtlpCollector;
let home: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  api = await startScripted(json(200, []));
  collector = await startOtlpCollector();
  home = await temporaryFolder();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await collector[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

/** The header of the request that the call makes. */
async function askedWith({ client }: McpClient, meta?: Record<string, unknown>): Promise<string | undefined> {
  await client.callTool({ name: 'ls', arguments: {}, ...(meta === undefined ? {} : { _meta: meta }) });
  return api.requests.at(-1)?.['traceparent'] as string | undefined;
}

const connect = async (env: Readonly<Record<string, string>>): Promise<McpClient> =>
  await overStdio({ MURMUR_HOME: home.path, MURMUR_API_URL: api.url, MURMUR_TOKEN: 'x', ...env });

test('the request of a call and its span belong to the trace of the client, or to one of their own', async () => {
  const headers: (string | undefined)[] = [];
  {
    await using mcp = await connect({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    headers.push(await askedWith(mcp, { traceparent: TOLD }), await askedWith(mcp, { traceparent: 'nonsense' }));
  }
  const [beneath, alone] = headers.map((header) => header?.split('-'));
  // The process has ended: its spans are sent.
  const spans = collector.spans.filter(({ name }) => name === 'tools/call ls');
  expect(spans).toMatchObject([
    { service: 'murmur', traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16), spanId: beneath?.[2] },
    { service: 'murmur', traceId: alone?.[1], spanId: alone?.[2] },
  ]);
  expect(beneath?.[1]).toBe('a'.repeat(32));
  expect(spans[1]).not.toHaveProperty('parentSpanId');
});

test('without a collector a call passes on what its client has told, else what TRACEPARENT names, else nothing', async () => {
  await using plain = await connect({});
  expect(await askedWith(plain, { traceparent: TOLD })).toBe(TOLD);
  expect(await askedWith(plain)).toBeUndefined();
  await using inheriting = await connect({ TRACEPARENT: INHERITED });
  expect(await askedWith(inheriting)).toBe(INHERITED);
  expect(await askedWith(inheriting, { traceparent: TOLD })).toBe(TOLD);
});

test('a collector that does not answer holds up no answer', async () => {
  await using silent = await startScripted(() => undefined);
  const mcp = await connect({ OTEL_EXPORTER_OTLP_ENDPOINT: silent.url });
  expect(await askedWith(mcp)).toMatch(/^00-/);
  await mcp[Symbol.asyncDispose]();
});
