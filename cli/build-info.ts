// What the build knows about itself. The build puts a module of its own in the place of this one.

/** Commit that the program was built from; undefined in a checkout. */
export const COMMIT: string | undefined = undefined;
