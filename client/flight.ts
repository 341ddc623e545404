// The client's part of a flight: reads the file from the caller's repository.
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { checkFlightPath, FLIGHTS_FOLDER, flightRefused, flightText, flightTooLarge } from '../contract/flight/file.ts';
import { parseFlight } from '../contract/flight/parse.ts';
import { MurmurError } from '../contract/wire/errors.ts';
import { FLIGHT_BYTES } from '../contract/wire/flight/plan.ts';
import type { FlightPlan } from '../contract/wire/flight/plan.ts';
import { nearestName } from '../contract/wire/nearest.ts';

/**
 * The input of a `spawn` whose `flight` names a file, with the text of the file. The file's workspace and model
 * override `configured`, but not `input`. Throws as `readFlight` does.
 * @param input the caller's input
 */
export async function withFlight(
  input: Readonly<Record<string, unknown>>,
  configured: Readonly<{ workspace?: unknown; model?: unknown }>,
  cwd: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { source, plan } = await readFlight(cwd, String(input['flight']));
  const { workspace, model } = plan.settings;
  return {
    ...configured,
    ...(workspace === undefined ? {} : { workspace }),
    ...(model === undefined ? {} : { model }),
    ...input,
    flight_source: source,
  };
}

/**
 * Reads and validates a flight in the nearest folder `.murmur/flights`, upwards from the working directory. Throws
 * NOT_FOUND for a missing file, INVALID_ARGUMENT for a path that leads out of the folder and for an invalid file.
 */
export async function readFlight(
  cwd: string,
  path: string,
): Promise<{ readonly source: string; readonly plan: FlightPlan }> {
  checkFlightPath(path);
  const folder = await flightsFolder(cwd);
  if (folder === undefined) {
    throw new MurmurError('NOT_FOUND', `no flight ${JSON.stringify(path)}: there is no folder ${FLIGHTS_FOLDER} here`, {
      hint: `create ${FLIGHTS_FOLDER} at the top of the repository, or change to a repository that has it`,
      details: { field: 'flight', value: path },
    });
  }
  const source = await readText(folder, path);
  return { source, plan: parseFlight(source, path) };
}

async function flightsFolder(cwd: string): Promise<string | undefined> {
  for (let at = resolve(cwd); ; at = dirname(at)) {
    const folder = join(at, FLIGHTS_FOLDER);
    if ((await stat(folder).catch(() => undefined))?.isDirectory() === true) return await realpath(folder);
    if (dirname(at) === at) return undefined;
  }
}

async function readText(folder: string, path: string): Promise<string> {
  const file = await realpath(join(folder, path)).catch(() => undefined);
  if (file === undefined) throw await absent(folder, path);
  // A link may lead to any file, and the text of a flight is sent to the server.
  if (!file.startsWith(`${folder}${sep}`)) throw flightRefused(path, 'it is a link that leads out of the folder');
  const facts = await stat(file);
  if (!facts.isFile()) throw flightRefused(path, 'it is not a file');
  if (facts.size > FLIGHT_BYTES) throw flightTooLarge(path, facts.size);
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (error) {
    throw flightRefused(path, (error as Error).message);
  }
  return flightText(path, content);
}

async function absent(folder: string, path: string): Promise<MurmurError> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.md')).toSorted();
  const nearest = nearestName(path, names);
  const listed = names.length === 0 ? 'the folder is empty' : `it has ${names.slice(0, 20).join(', ')}`;
  return new MurmurError('NOT_FOUND', `no flight ${JSON.stringify(path)} in ${folder}`, {
    hint: nearest === undefined ? listed : `did you mean ${nearest}?`,
    details: { field: 'flight', value: path },
  });
}
