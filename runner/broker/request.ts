// The requests of scripts to the broker, and the check that a request is one that git makes.
import type { BrokerAccess } from './access.ts';

export type BrokerRequest =
  | { readonly kind: 'ssh'; readonly args: readonly string[]; readonly protocol: string }
  | { readonly kind: 'local'; readonly service: string; readonly args: readonly string[]; readonly protocol: string };

const REMOTE_COMMAND = /^git[- ](?:upload-pack|receive-pack|upload-archive) '((?:[^'\\\n]|'\\[!']')*)'$/;
const DESTINATION = /^(?:([\w.+~][\w.+~-]*)@)?(\[[0-9a-fA-F:.%]+\]|\w[\w.-]*|[0-9a-fA-F:]+)$/;
/** `GIT_PROTOCOL` as git sends it. */
const PROTOCOL = /^version=[0-2]$/;

/** Parses the first line of a connection; undefined when it is not a valid request. */
export function readRequest(line: string): BrokerRequest | undefined {
  try {
    const request = JSON.parse(line) as Partial<Record<'kind' | 'service' | 'protocol', unknown>> & {
      args?: unknown;
    };
    const text = (value: unknown): string => (typeof value === 'string' ? value : '');
    const args = Array.isArray(request.args) ? request.args.map(text) : [];
    const protocol = PROTOCOL.test(text(request.protocol)) ? text(request.protocol) : '';
    if (request.kind === 'ssh') return { kind: 'ssh', args, protocol };
    if (request.kind === 'local') return { kind: 'local', service: text(request.service), args, protocol };
    return undefined;
  } catch {
    return undefined;
  }
}

/** Arguments for the caller's ssh, or the reason for a refusal. */
export function sshArguments(args: readonly string[], access: BrokerAccess): readonly string[] | { refused: string } {
  const options: string[] = [];
  const words = [...args];
  let port = '';
  for (let word = words[0]; word !== undefined && word.startsWith('-'); word = words[0]) {
    words.shift();
    if (word === '-4' || word === '-6') options.push(word);
    else if (word === '-o' && words[0] === 'SendEnv=GIT_PROTOCOL') options.push(word, words.shift() ?? '');
    else if (word === '-p' && /^\d{1,5}$/.test(words[0] ?? '')) options.push(word, (port = words.shift() ?? ''));
    else return { refused: `the ssh option ${JSON.stringify(word)} is not one that git uses` };
  }
  const [destination = '', command = '', ...more] = words;
  const [, user = '', host] = DESTINATION.exec(destination) ?? [];
  if (host === undefined || more.length > 0) return { refused: 'this is not how git calls ssh' };
  const quoted = REMOTE_COMMAND.exec(command)?.[1];
  if (quoted === undefined) return { refused: 'only git may run on the remote' };
  const path = quoted.replaceAll(/'\\([!'])'/g, '$1');
  if (!access.allowsSsh({ user, host: host.replace(/^\[|\]$/g, ''), port, path })) {
    const place = `${destination}${port && ` port ${port}`}`;
    return {
      refused: `${path} on ${place} is not one of this agent's repositories; a person allows others with --allow-repo`,
    };
  }
  return [...options, destination, command];
}
