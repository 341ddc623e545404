// Tool calls that name a file of the caller. Over stdio, `murmur mcp` reads the file. Over HTTP, this module reads it
// on the machine of the calling agent.
import { checkFlightPath, FLIGHTS_FOLDER, flightText, flightTooLarge } from '../../contract/flight/file.ts';
import { operations } from '../../contract/operations/index.ts';
import type { Operation, ParsedInputOf } from '../../contract/operation.ts';
import { MurmurError } from '../../contract/wire/errors.ts';
import { ITEMS_FILE_LIMIT, itemsTooLarge, readItems } from '../../contract/wire/fanout/items.ts';
import { FLIGHT_BYTES } from '../../contract/wire/flight/plan.ts';
import { handlerOf } from '../call.ts';
import type { Call } from '../handler.ts';
import { parseInput } from '../input.ts';
import type { ServerParts } from '../parts.ts';
import { publicUrl } from '../public-url.ts';
import { uploadTooLarge } from '../uploads/arriving.ts';
import { typeOfName } from '../uploads/content-headers.ts';
import { storeUpload } from '../uploads/upload.ts';
import { fileReaderOf, machineFile, readMachineFile } from './machine-file.ts';

type ToolInput = Readonly<Record<string, unknown>>;

/** Opens the call for an operation, which may differ from the called tool. */
export type OpenCall = (operation: Operation) => Call;

/**
 * The answer to a call whose input names a file of the caller; undefined for other calls. Throws the errors of the read
 * and of the operation.
 */
export function fileCallOf(
  name: string,
  input: ToolInput,
): ((parts: ServerParts, open: OpenCall) => Promise<unknown>) | undefined {
  if (name === 'upload') return async (parts, open) => await uploadFile(parts, input, open);
  if (name !== 'spawn') return undefined;
  if (input['each'] !== undefined) return async (parts, open) => await spawnEach(parts, input, open);
  if (input['flight'] !== undefined) return async (parts, open) => await spawnFlight(parts, input, open);
  return undefined;
}

async function uploadFile(parts: ServerParts, input: ToolInput, open: OpenCall): Promise<string> {
  const { content_type, filename, path, workspace } = parseInput(operations.upload, input) as ParsedInputOf<
    typeof operations.upload
  >;
  const call = open(operations.upload);
  const reader = await fileReaderOf(parts, call, 'path');
  const bytes = parts.settings.uploadLimit;
  const source = machineFile(
    reader,
    { path },
    { call, timing: parts.timing, bytes, tooLarge: () => uploadTooLarge(bytes) },
  );
  const upload = { filename, contentType: content_type ?? typeOfName(filename), workspace, source };
  return await storeUpload(parts, upload, { ...call, base: publicUrl(parts, call) });
}

async function spawnEach(parts: ServerParts, { each, ...rest }: ToolInput, open: OpenCall): Promise<unknown> {
  const path = textOf('each', each);
  const call = open(operations.each);
  // Reports other errors of the input before it reads the file.
  parseInput(operations.each, rest);
  const reader = await fileReaderOf(parts, call, 'each');
  const bounds = { call, timing: parts.timing, bytes: ITEMS_FILE_LIMIT, tooLarge: () => itemsTooLarge(path) };
  const text = (await readMachineFile(reader, { path }, bounds)).toString('utf8');
  const items = readItems(text, `in ${JSON.stringify(path)}`);
  return await handlerOf(operations.each)(parts, parseInput(operations.each, { ...rest, items }), call);
}

async function spawnFlight(parts: ServerParts, input: ToolInput, open: OpenCall): Promise<unknown> {
  const call = open(operations.spawn);
  parseInput(operations.spawn, input);
  const flight = textOf('flight', input['flight']);
  checkFlightPath(flight);
  const reader = await fileReaderOf(parts, call, 'flight');
  const tooLarge = (): MurmurError => flightTooLarge(flight);
  const content = await readMachineFile(
    reader,
    { path: `${FLIGHTS_FOLDER}/${flight}`, within: FLIGHTS_FOLDER },
    { call, timing: parts.timing, bytes: FLIGHT_BYTES, tooLarge },
  );
  const whole = { ...input, flight_source: flightText(flight, content) };
  return await handlerOf(operations.spawn)(parts, parseInput(operations.spawn, whole), call);
}

/** Throws INVALID_ARGUMENT for a missing file name. */
function textOf(field: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new MurmurError('INVALID_ARGUMENT', `${field} names no file`, { details: { field } });
}
