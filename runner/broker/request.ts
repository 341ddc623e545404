// What a script may ask of the broker, and the check that it asks for no more than git would.
import type { BrokerAccess } from './access.ts';
import path from 'node:path';

export type BrokerRequest =
  | { readonly kind: 'credential'; readonly action: string }
  | { readonly kind: 'ssh'; readonly args: readonly string[]; readonly protocol: string }
  | { readonly kind: 'local'; readonly service: string; readonly args: readonly string[]; readonly protocol: string };

/** The only programs that git starts on a remote. */
const SERVICES = ['git-upload-pack', 'git-receive-pack', 'git-upload-archive'];
const REMOTE_COMMAND = /^git[- ](?:upload-pack|receive-pack|upload-archive) '(?:[^'\\\n]|'\\[!']')*'$/;
const DESTINATION = /^(?:[\w.+~][\w.+~-]*@)?(\[[0-9a-fA-F:.%]+\]|\w[\w.-]*|[0-9a-fA-F:]+)$/;
/** `GIT_PROTOCOL` as git sends it. */
const PROTOCOL = /^version=[0-2]$/;

/** Reads the first line of a connection; undefined when it is no request. */
export function readRequest(line: string): BrokerRequest | undefined {
  try {
    const request = JSON.parse(line) as Partial<Record<'kind' | 'action' | 'service' | 'protocol', unknown>> & {
      args?: unknown;
    };
    const text = (value: unknown): string => (typeof value === 'string' ? value : '');
    const args = Array.isArray(request.args) ? request.args.map(text) : [];
    const protocol = PROTOCOL.test(text(request.protocol)) ? text(request.protocol) : '';
    if (request.kind === 'credential') return { kind: 'credential', action: text(request.action) };
    if (request.kind === 'ssh') return { kind: 'ssh', args, protocol };
    if (request.kind === 'local') return { kind: 'local', service: text(request.service), args, protocol };
    return undefined;
  } catch {
    return undefined;
  }
}

/** Arguments for the caller's ssh, or why they are refused. */
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
  const host = DESTINATION.exec(destination)?.[1];
  if (host === undefined || more.length > 0) return { refused: 'this is not how git calls ssh' };
  if (!REMOTE_COMMAND.test(command)) return { refused: 'only git may run on the remote' };
  const known = access.allowsSsh(host, port) || access.allowsSsh(host.replace(/^\[|\]$/g, ''), port);
  if (!known) return { refused: `${host}${port && `:${port}`} is not a host of this agent's repositories` };
  return [...options, destination, command];
}

/** Arguments for git that serve a repository on the caller's disk, or why they are refused. */
export function localArguments(
  { service, args }: { readonly service: string; readonly args: readonly string[] },
  access: BrokerAccess,
): readonly string[] | { refused: string } {
  const [directory = '', ...more] = args;
  if (!SERVICES.includes(service) || more.length > 0) return { refused: 'only git may use the repository' };
  if (!access.allowsPath(path.resolve('/', directory))) {
    return { refused: `${directory} is not one of this agent's repositories` };
  }
  return [service.slice('git-'.length), path.resolve('/', directory)];
}
