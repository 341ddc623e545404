// Settings that only the owner of the host may set. No imports: the CLI loads this on every start.

/** Name of the file in MURMUR_HOME. */
export const HOST_SETTINGS_FILE = 'murmur.yaml';

/** Keys of that file. */
export const HOST_KEYS = ['environment', 'limits', 'show'] as const;
