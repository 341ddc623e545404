// Messages from the bare worker to the benchmark, over IPC. Types only.
export type BareMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'ended'; readonly name: string; readonly at: number; readonly interrupted: boolean }
  | { readonly type: 'attempt'; readonly name: string; readonly attempt: number; readonly at: number };
