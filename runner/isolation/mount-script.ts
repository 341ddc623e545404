// The script of a namespace's first process: a shell that makes the mounts and starts the program as the agent's user.
// Then it waits as process 1 and reaps orphaned processes.
import { shellQuoted } from './program-script.ts';
import type { NamespaceView } from './namespace-view.ts';

/** Absolute paths. */
export interface MountTools {
  readonly sh: string;
  readonly mount: string;
  readonly mkdir: string;
  readonly cp: string;
  readonly setpriv: string;
}

export interface MountScriptInput {
  readonly tools: MountTools;
  /** Shell lines that run first. */
  readonly lines: readonly string[];
  readonly view: NamespaceView;
  /** User and group of the program; the caller's when absent. */
  readonly uid: number | undefined;
}

/**
 * The text of the shell script. Its arguments are the working directory, the program and the program's arguments; its
 * descriptor 3 gives the text of `programScript`.
 */
export function mountScript({ tools, lines, view, uid }: MountScriptInput): string {
  const { mount, setpriv, sh } = tools;
  // -c: paths are not canonicalized. -i: no mount helpers of file systems.
  const laying = (file: string): string => `${mount} -c -i -a -T ${shellQuoted(file)}`;
  return [
    'set -e',
    ...lines,
    laying(view.tables.host),
    // From this folder, relative paths still lead into the host's whole tree after parts of it are covered.
    `cd ${shellQuoted(view.stage)}`,
    laying(`.${view.tables.covers}`),
    ...makingPlaces(tools, view),
    ...(view.tables.last === undefined ? [] : [laying(`.${view.tables.last}`)]),
    'cd /',
    'exec 4<&0',
    // The redirection is explicit because a background process otherwise reads /dev/null.
    `${setpriv} ${droppedRights(uid)} -- ${sh} -s -- "$@" <&3 3<&- &`,
    'exec </dev/null >/dev/null 2>&1 3<&- 4<&-',
    'set +e',
    'wait $!',
    'exit $?',
  ].join('\n');
}

function makingPlaces({ mkdir, cp }: MountTools, { places, links }: NamespaceView): readonly string[] {
  const folders = [...new Set(places.map((place) => place.slice(0, place.lastIndexOf('/'))))];
  const copies = Map.groupBy(links, (link) => link.slice(0, link.lastIndexOf('/')));
  return [
    ...(folders.length === 0 ? [] : [`${mkdir} -p ${folders.map(shellQuoted).join(' ')}`]),
    ...places.map((place) => `: >${shellQuoted(place)}`),
    ...[...copies].map(
      ([to, from]) => `${cp} -P ${from.map((link) => shellQuoted(`.${link}`)).join(' ')} ${shellQuoted(to)}`,
    ),
  ];
}

/** Drops all capabilities for good and disables set-user-id programs. */
function droppedRights(uid: number | undefined): string {
  const user = uid === undefined ? '' : `--reuid ${uid} --regid ${uid} --clear-groups `;
  return `${user}--no-new-privs --ambient-caps=-all --inh-caps=-all --bounding-set=-all`;
}
