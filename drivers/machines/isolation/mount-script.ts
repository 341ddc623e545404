// The first process of a namespace: a shell that lays the mounts, starts the program as the agent's user and then waits
// as process 1, taking note of every process that ends without a parent.
import type { Cover } from './mount-plan.ts';

/** Absolute paths: the environment is the agent program's, and its PATH may lead into folders that the agent can write. */
export interface MountTools {
  readonly sh: string;
  readonly mount: string;
  readonly mkdir: string;
  readonly setpriv: string;
}

export interface MountScriptInput {
  readonly tools: MountTools;
  /** Laid over existing paths first: the source may lie below a cover. */
  readonly binds: readonly { readonly source: string; readonly target: string }[];
  readonly covers: readonly Cover[];
  /** Whether a shown path is a file, not a folder. */
  readonly isFile: (path: string) => boolean;
  /** User and group to become; the caller's own when absent. */
  readonly uid: number | undefined;
}

/** Folders of a cover need a few pages; the agent must not fill the host's memory through them. */
const COVER_OPTIONS = 'mode=0755,size=1m,nr_inodes=1024';
const OPEN_COVER_OPTIONS = 'mode=1777';

/** The text of the shell script. Its arguments are the working directory, the program and the program's arguments. */
export function mountScript({ tools, binds, covers, isFile, uid }: MountScriptInput): string {
  const { mount, mkdir, setpriv, sh } = tools;
  return [
    'set -e',
    `${mount} -t proc -o nosuid,nodev,noexec proc /proc`,
    ...binds.map(({ source, target }) => `${mount} --bind ${quoted(source)} ${quoted(target)}`),
    ...covers.flatMap(({ path, isOpen, shows }) => [
      // From inside, the folder's contents can still be named once it is covered. -c: the path is to be taken as it is.
      `cd ${quoted(path)}`,
      `${mount} -t tmpfs -o nosuid,nodev,${isOpen ? OPEN_COVER_OPTIONS : COVER_OPTIONS} tmpfs ${quoted(path)}`,
      ...makingPlaces(mkdir, shows, isFile),
      ...shows.map((shown) => showing(mount, path, shown)),
      'cd /',
    ]),
    'exec 3<&0',
    // The working directory is entered as the agent's user, who may not enter all that root may. A background process
    // has no input unless it is given one.
    `${setpriv} ${droppedRights(uid)} -- ${sh} -c 'cd -- "$1" || exit 126; shift; exec "$@"' sh "$@" <&3 3<&- &`,
    'exec </dev/null >/dev/null 2>&1 3<&-',
    'set +e',
    'wait $!',
    'exit $?',
  ].join('\n');
}

/** Makes the places where something is shown, by one program: starting one costs more than all that it does. */
function makingPlaces(mkdir: string, shows: readonly string[], isFile: (path: string) => boolean): readonly string[] {
  if (shows.length === 0) return [];
  const folders = shows.map((shown) => (isFile(shown) ? shown.slice(0, shown.lastIndexOf('/')) || '/' : shown));
  const files = shows.filter(isFile).map((shown) => `: >${quoted(shown)}`);
  return [`${mkdir} -p ${folders.map(quoted).join(' ')}`, ...files];
}

function showing(mount: string, cover: string, shown: string): string {
  const inside = `.${shown.slice(cover === '/' ? 0 : cover.length)}`;
  return `${mount} -c --rbind ${quoted(inside)} ${quoted(shown)}`;
}

/** No capability, none to be had again, no set-user-id program. */
function droppedRights(uid: number | undefined): string {
  const user = uid === undefined ? '' : `--reuid ${uid} --regid ${uid} --clear-groups `;
  return `${user}--no-new-privs --ambient-caps=-all --inh-caps=-all --bounding-set=-all`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
