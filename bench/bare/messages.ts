// What the bare worker tells the bench over its IPC channel. Types only.
export type BareMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'ended'; readonly name: string; readonly at: number; readonly interrupted: boolean }
  | { readonly type: 'attempt'; readonly name: string; readonly attempt: number; readonly at: number };
