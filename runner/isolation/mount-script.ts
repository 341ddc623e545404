// The first process of a namespace: a shell that has the mounts laid, starts the program as the agent's user and then
// waits as process 1, taking note of every process that ends without a parent.
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
  /** Run first. */
  readonly lines: readonly string[];
  readonly view: NamespaceView;
  /** User and group to become; the caller's own when absent. */
  readonly uid: number | undefined;
}

/**
 * The text of the shell script. Its arguments are the working directory, the program and the program's arguments; its
 * descriptor 3 gives the text of `programScript`.
 */
export function mountScript({ tools, lines, view, uid }: MountScriptInput): string {
  const { mount, setpriv, sh } = tools;
  // -c: paths are to be taken as they are. -i: no program of a file system's own.
  const laying = (file: string): string => `${mount} -c -i -a -T ${shellQuoted(file)}`;
  return [
    'set -e',
    ...lines,
    laying(view.tables.host),
    // From inside, the host's whole tree can still be named once parts of it are covered.
    `cd ${shellQuoted(view.stage)}`,
    laying(`.${view.tables.covers}`),
    ...makingPlaces(tools, view),
    ...(view.tables.last === undefined ? [] : [laying(`.${view.tables.last}`)]),
    'cd /',
    'exec 4<&0',
    // A background process has no input unless it is given one.
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

/** No capability, none to be had again, no set-user-id program. */
function droppedRights(uid: number | undefined): string {
  const user = uid === undefined ? '' : `--reuid ${uid} --regid ${uid} --clear-groups `;
  return `${user}--no-new-privs --ambient-caps=-all --inh-caps=-all --bounding-set=-all`;
}
