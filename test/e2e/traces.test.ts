// Traces and metrics of a stack, as a collector receives them.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startOtlpCollector } from '../fixtures/otlp-collector.ts';
import type { CollectedSpan, OtlpCollector } from '../fixtures/otlp-collector.ts';
import { overStdio } from '../mcp/fixtures/client.ts';
import { scripted, settled } from './fixtures/agent.ts';
import { nothingLeft } from './fixtures/processes.ts';
import { eventually, startStack, type TestStack } from './fixtures/stack.ts';

let collector: OtlpCollector;
let stack: TestStack;
let telemetry: Readonly<Record<string, string>>;
beforeAll(async () => {
  collector = await startOtlpCollector();
  telemetry = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20of-the-test',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  };
  stack = await startStack({ env: telemetry });
}, 180_000);
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await nothingLeft(stack);
  await collector[Symbol.asyncDispose]();
}, 120_000);

/** The span and its ancestors, nearest first. Spans are exported in batches: an ancestor may arrive after the span. */
async function lineage({ name, parentSpanId, service }: CollectedSpan): Promise<string[]> {
  const own = `${service} ${name}`;
  if (parentSpanId === undefined || parentSpanId === '') return [own];
  const parent = await eventually(`the parent of ${own}`, () =>
    collector.spans.find(({ spanId }) => spanId === parentSpanId),
  );
  return [own, ...(await lineage(parent))];
}

async function collected(what: string, trace: string, name: string): Promise<CollectedSpan> {
  return await eventually(what, () => collector.spans.find((each) => each.traceId === trace && each.name === name));
}

async function traceOf(command: string): Promise<string> {
  const span = await eventually(command, () => collector.spans.find(({ name }) => name === command));
  return span.traceId;
}

describe('with OTEL_EXPORTER_OTLP_ENDPOINT', () => {
  it('one trace leads from the command to the turn on the machine', async () => {
    await stack.murmur(['spawn', 'traced', scripted('Say hello.', { text: 'Hello.' })]);
    await settled(stack, 'traced');
    const turn = await collected('the turn', await traceOf('murmur spawn'), 'POST /turn');
    await collected('the workflow', turn.traceId, 'RunWorkflow:agent');
    await collected('the activity', turn.traceId, 'RunActivity:runTurn');
    expect(await lineage(turn)).toEqual([
      'murmur-worker POST /turn',
      'murmur-worker RunActivity:runTurn',
      'murmur-worker RunWorkflow:agent',
      'murmur-server StartWorkflow:agent',
      'murmur-server POST /v1/spawn',
      'murmur murmur spawn',
    ]);
  }, 120_000);

  it('the turn of a follow-up belongs to the trace of the command that sent it', async () => {
    await stack.murmur(['queue', 'add', 'traced', scripted('Say bye.', { text: 'Bye.' })]);
    await settled(stack, 'traced');
    const turn = await collected('the turn', await traceOf('murmur queue add'), 'POST /turn');
    expect((await lineage(turn)).slice(1)).toEqual([
      'murmur-worker RunActivity:runTurn',
      'murmur-worker HandleSignal:queueAdd',
      'murmur-server SignalWorkflow:queueAdd',
      'murmur-server POST /v1/queue_add',
      'murmur murmur queue add',
    ]);
  }, 120_000);

  it('one trace leads from the call of a tool to the turn', async () => {
    await using mcp = await overStdio({ MURMUR_HOME: stack.home, ...telemetry });
    await mcp.call('queue_add', { slug: 'traced', description: scripted('Say more.', { text: 'More.' }) });
    await settled(stack, 'traced');
    const turn = await collected('the turn', await traceOf('tools/call queue_add'), 'POST /turn');
    expect((await lineage(turn)).slice(1)).toEqual([
      'murmur-worker RunActivity:runTurn',
      'murmur-worker HandleSignal:queueAdd',
      'murmur-server SignalWorkflow:queueAdd',
      'murmur-server POST /v1/queue_add',
      'murmur tools/call queue_add',
    ]);
  }, 120_000);

  it('the server tells how long calls take, and the worker the metrics of Temporal', async () => {
    await eventually('metrics of the server', () => collector.metrics().includes('http.server.request.duration'));
    await eventually('metrics of the worker', () =>
      collector.metrics().includes('temporal_activity_execution_latency'),
    );
  }, 60_000);

  it('each export has the configured headers', () => {
    const paths = new Set(collector.requests.map(({ path }) => path));
    expect([...paths].toSorted()).toEqual(['/v1/metrics', '/v1/traces']);
    expect(new Set(collector.requests.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer of-the-test']),
    );
  });
});
