// `down`: stops the embedded stack.
import { down } from '../../stack/down.ts';
import type { Invocation } from '../command.ts';
import { settingsOf } from '../connection.ts';

export async function runDown({ context, json }: Invocation): Promise<void> {
  const { home } = await settingsOf(context);
  const result = await down(home, (message) => {
    context.terminal.progress(message);
  });
  if (json) context.terminal.json(result);
  else context.terminal.line(result.was_running ? 'stopped' : 'nothing was running');
}
