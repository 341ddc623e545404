// The command of an operation: reads the input, calls the API server and prints the answer. An override replaces some
// of these steps.
import type { OperationDescription } from '../contract/describe.ts';
import type { EventsOperation, OperationName } from '../contract/operations/index.ts';
import { makeCommand, type CommandClass, type Invocation } from './command.ts';
import { connect, settingsOf } from './connection.ts';
import { isAgent } from './context.ts';
import { grammarOf } from './derive/grammar.ts';
import { inputOf } from './derive/input.ts';
import type { Call, LazyOverride } from './override.ts';
import { selfGrammar, slugOrText } from './self.ts';
import type { PresentedOperation } from './present/results.ts';

/** The command of an operation. */
export function operationCommand(operation: OperationDescription, lazy?: LazyOverride): CommandClass {
  const { command, examples } = operation.cli;
  const grammar = grammarOf(operation, lazy?.flags);
  return makeCommand({
    command,
    summary: operation.summary,
    description: operation.description,
    grammar,
    agentGrammar: selfGrammar(operation, grammar),
    examples,
    run: async (invocation) => {
      await runOperation(operation, invocation, lazy);
    },
  });
}

async function runOperation(
  operation: OperationDescription,
  invocation: Invocation,
  lazy?: LazyOverride,
): Promise<void> {
  const override = await lazy?.load();
  const { context, parsed } = invocation;
  const settings = await settingsOf(context, { workspace: parsed.flags.get('workspace')?.[0] });
  if (override?.standalone !== undefined) {
    await override.standalone(invocation, settings);
    return;
  }
  const given = inputOf(operation, parsed);
  // For an agent, the server knows the workspace; a project's setting must not override it.
  const hasWorkspace = operation.fields.some((field) => field.name === 'workspace');
  if (hasWorkspace && !isAgent(context)) given['workspace'] = settings.workspace;
  const prepared = override?.prepare === undefined ? given : await override.prepare(given, invocation, settings);
  const { client } = await connect(context, settings);
  const input = isAgent(context) ? await slugOrText(operation, prepared, client, context.signal) : prepared;
  const call: Call = { ...invocation, operation, input, settings, client };
  if (override?.run !== undefined) await override.run(call);
  else if (operation.stream === 'events') await follow(call);
  else await answer(call);
}

async function answer(call: Call): Promise<void> {
  const { context, json, operation } = call;
  const result = await ask(call);
  if (json) {
    context.terminal.json(result);
    return;
  }
  const { lineOf, present } = await import('./present/results.ts');
  const { prints } = operation.cli;
  if (prints !== undefined) context.terminal.line(lineOf(prints, result));
  else present(operation.name as PresentedOperation, result, context.terminal, call.input);
}

/** Calls the operation. Prints progress to stderr while it waits. */
export async function ask(call: Call): Promise<unknown> {
  const { client, context, input, operation } = call;
  const options = { signal: context.signal };
  // Names and inputs come from the registry from which the client's types are derived.
  const name = operation.name as Exclude<OperationName, EventsOperation>;
  if (operation.stream !== 'result') return client.call(name, input, options);
  const { waitingLine, progressLine } = await import('./present/progress.ts');
  context.terminal.progress(waitingLine(operation.cli.command, input));
  let shown = '';
  const onProgress = (progress: unknown): void => {
    const line = progressLine(progress);
    if (line !== shown) context.terminal.progress(line);
    shown = line;
  };
  return client.call(name, input, { ...options, onProgress });
}

async function follow(call: Call): Promise<void> {
  const { followEvents } = await import('./follow.ts');
  await followEvents(call);
}
