// Validates the requests of the protocol. Other code trusts them.
import type { AssessRequest } from '../../contract/wire/assessment.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import type {
  DropRequest,
  FileRequest,
  InterruptRequest,
  NoticeRequest,
  OpenRequest,
  PortRequest,
  ServeRequest,
  StopRequest,
  TurnRequest,
} from '../../contract/wire/runner.ts';

type Body = Readonly<Record<string, unknown>>;

/** Throws INVALID_ARGUMENT that names the first missing or invalid field. */
export function openRequest(body: Body): OpenRequest {
  need(body, 'repos', (value) => Array.isArray(value) && value.every(isRepo), 'a list of repositories');
  if (body['allow_repos'] !== undefined) need(body, 'allow_repos', isTextList, 'a list of texts');
  need(body, 'session_id', isUuid, 'a UUID');
  need(body, 'backend', isText, 'a text');
  need(body, 'env', isTextRecord, 'an object of texts');
  need(body, 'secret_names', isTextList, 'a list of texts');
  for (const name of ['model', 'append_system_prompt', 'restore']) {
    if (body[name] !== undefined) need(body, name, isText, 'a text');
  }
  if (body['dropped_secrets'] !== undefined) need(body, 'dropped_secrets', isTextList, 'a list of texts');
  if (body['journal_after'] !== undefined) need(body, 'journal_after', Number.isSafeInteger, 'a whole number');
  if (body['api'] !== undefined) need(body, 'api', isServerAddress, 'a host and a port');
  if (body['git'] !== undefined) need(body, 'git', isGitAccess, 'an access to a broker of git');
  return body as unknown as OpenRequest;
}

/** Throws like `openRequest`. */
export function turnRequest(body: Body): TurnRequest {
  need(body, 'turn_id', isText, 'a text');
  need(body, 'number', Number.isSafeInteger, 'a whole number');
  need(body, 'prompt', isText, 'a text');
  need(body, 'inputs', Array.isArray, 'a list');
  return body as unknown as TurnRequest;
}

/** Throws like `openRequest`. */
export function assessRequest(body: Body): AssessRequest {
  need(body, 'assess_id', isText, 'a text');
  need(body, 'prompt', isText, 'a text');
  return body as unknown as AssessRequest;
}

/** Throws like `openRequest`. */
export function interruptRequest(body: Body): InterruptRequest {
  need(body, 'turn_id', isText, 'a text');
  return body as unknown as InterruptRequest;
}

/** Throws like `openRequest`. */
export function noticeRequest(body: Body): NoticeRequest {
  need(body, 'turn_id', isText, 'a text');
  need(body, 'notice', isNotice, 'an id and a text');
  return body as unknown as NoticeRequest;
}

/** Throws like `openRequest`. */
export function stopRequest(body: Body): StopRequest {
  need(body, 'status', (value) => value === 'cut_off' || value === 'interrupted', 'cut_off or interrupted');
  if (body['last'] !== undefined) {
    need(body, 'last', isFinalSnapshotRequest, 'what to keep: after, snapshot_ms, stored_seq');
  }
  return body as unknown as StopRequest;
}

/** Throws like `openRequest`. */
export function fileRequest(body: Body): FileRequest {
  need(body, 'path', isPath, PATH_KIND);
  if (body['within'] !== undefined) need(body, 'within', isPath, PATH_KIND);
  return body as unknown as FileRequest;
}

/** Throws like `openRequest`. */
export function portRequest(body: Body): PortRequest {
  need(body, 'port', isPort, 'a port: 1 to 65535');
  return body as unknown as PortRequest;
}

/** Throws like `openRequest`. */
export function serveRequest(body: Body): ServeRequest {
  need(body, 'env', isTextRecord, 'an object of texts');
  dropRequest(body);
  return body as unknown as ServeRequest;
}

/** Throws like `openRequest`. */
export function dropRequest(body: Body): DropRequest {
  need(body, 'directory', isPath, PATH_KIND);
  need(body, 'request_id', isText, 'a text');
  return body as unknown as DropRequest;
}

function need(body: Body, field: string, isRight: (value: unknown) => boolean, kind: string): void {
  if (isRight(body[field])) return;
  throw new MurmurError('INVALID_ARGUMENT', `${field} must be ${kind}`, { details: { field } });
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** The limits of the operating system. */
const PATH_KIND = 'a path: 1 to 4096 bytes without NUL';

function isPath(value: unknown): boolean {
  return isText(value) && !value.includes('\0') && Buffer.byteLength(value) <= 4_096;
}

function isUuid(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

function isTextRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && isTextList(Object.values(value));
}

function isServerAddress(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { host, port } = value as Record<string, unknown>;
  return isText(host) && isPort(port);
}

function isGitAccess(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { server, pass, http, config } = value as Record<string, unknown>;
  const isProxy = (each: unknown): boolean => {
    const { key, certificate, routes } = (each ?? {}) as Record<string, unknown>;
    return isText(key) && typeof certificate === 'string' && Array.isArray(routes);
  };
  return isServerAddress(server) && isText(pass) && Array.isArray(config) && (http === undefined || isProxy(http));
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536;
}

function isFinalSnapshotRequest(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { after, snapshot_ms: limit, stored_seq: stored } = value as Record<string, unknown>;
  return [after, limit, stored ?? 0].every((each) => Number.isSafeInteger(each) && Number(each) >= 0);
}

function isNotice(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, text } = value as Record<string, unknown>;
  return isText(id) && isText(text);
}

function isRepo(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { clone_url, branch, base_branch } = value as Record<string, unknown>;
  return isText(clone_url) && isText(branch) && (base_branch === undefined || isText(base_branch));
}
