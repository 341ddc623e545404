// Facts about the build. The build script replaces this module.

/** Commit that the program was built from; undefined in a checkout. */
export const COMMIT: string | undefined = undefined;
