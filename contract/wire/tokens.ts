// The API server's token file, MURMUR_HOME/tokens.json. No imports.

/** One token, known only by its hash. */
export interface TokenEntry {
  /** `owner` is the one that `murmur up` makes. */
  readonly id?: string;
  /** SHA-256 of the token's UTF-8 bytes, in lower-case hex. */
  readonly sha256: string;
  /** Account that the bearer acts as. */
  readonly account: string;
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601; absent when it does not expire. */
  readonly expires_at?: string;
}

/** The file, mode 0600. The server reads it again when it changes. */
export interface TokenFile {
  readonly tokens: readonly TokenEntry[];
}
