// The request that opens an agent's session: texts and secrets by value, which histories hold by reference.
import type { SessionInput } from '../contract/wire/activities.ts';
import { AGENT_ID } from '../contract/wire/agent-file.ts';
import type { AgentSpec, RepoSpec } from '../contract/wire/agent.ts';
import { redactUrl } from '../contract/wire/git-url.ts';
import { workflowIdOf } from '../contract/wire/identity.ts';
import type { OpenRequest } from '../contract/wire/runner.ts';
import { givenSecrets } from '../contract/wire/secret-names.ts';
import { AGENT_TOKEN } from '../contract/wire/tokens.ts';
import type { Machine } from '../drivers/machines/provider.ts';
import type { AgentPorts } from './ports.ts';
import { readText } from './prompt.ts';

/** Credentials whose values are redacted in events; an address is not a secret. */
const SECRET_CREDENTIALS = /KEY|TOKEN|SECRET/;

/** Loopback names of this host. */
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** The credentials with the addresses of servers of this host as the machine reaches them. */
async function credentialsOn(
  machine: Machine,
  credentials: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const entries = Object.entries(credentials).map(async ([name, value]) => {
    const url = URL.parse(value);
    if (url === null || !LOOPBACK.includes(url.hostname) || url.port === '') return [name, value];
    const here = { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) };
    const there = await machine.expose(here);
    if (there.host === here.host && there.port === here.port) return [name, value];
    url.host = `${there.host}:${String(there.port)}`;
    return [name, value.endsWith('/') ? url.href : url.href.replace(/\/$/, '')];
  });
  return Object.fromEntries(await Promise.all(entries)) as Readonly<Record<string, string>>;
}

/**
 * The request for this agent on its machine.
 * @param restore path of a snapshot on the machine
 */
export async function openRequest(
  ports: AgentPorts,
  { spec, session_id }: SessionInput & { readonly spec: AgentSpec },
  machine: Machine,
  restore?: string,
): Promise<OpenRequest> {
  const server = ports.api();
  const [stored, appended, journalAfter, api, git] = await Promise.all([
    spec.secrets === undefined ? {} : ports.secrets.get(spec.secrets.ref),
    spec.append_system_prompt === undefined ? undefined : readText(ports, spec.append_system_prompt),
    ports.events.lastSeq(workflowIdOf(spec.identity), 'runner'),
    server === undefined ? undefined : machine.expose(server),
    machine.serveGit?.({ repos: spec.repos, grants: spec.allow_repos ?? [] }),
  ]);
  const given = givenSecrets(ports.credentials, stored, [AGENT_TOKEN]);
  const { secrets, dropped } = given;
  const credentials = await credentialsOn(machine, given.credentials);
  return {
    // A URL may hold a password. It does not leave this host if the machine is on another one.
    repos: git === undefined ? spec.repos : spec.repos.map(withoutPassword),
    ...(spec.allow_repos === undefined ? {} : { allow_repos: spec.allow_repos }),
    session_id: session_id ?? spec.session_id,
    backend: spec.backend,
    ...(spec.model === undefined ? {} : { model: spec.model }),
    ...(appended === undefined ? {} : { append_system_prompt: appended }),
    env: { ...credentials, ...secrets, [AGENT_ID]: workflowIdOf(spec.identity) },
    secret_names: [
      ...new Set([
        ...Object.keys(credentials).filter((name) => SECRET_CREDENTIALS.test(name)),
        ...Object.keys(secrets),
      ]),
    ],
    ...(dropped.length === 0 ? {} : { dropped_secrets: dropped }),
    ...(restore === undefined ? {} : { restore }),
    journal_after: journalAfter,
    ...(api === undefined ? {} : { api }),
    ...(git === undefined ? {} : { git }),
  };
}

function withoutPassword(repo: RepoSpec): RepoSpec {
  return { ...repo, clone_url: redactUrl(repo.clone_url) };
}
