// Formats times and money for people.

/** `[14:32:01]`, in the terminal's time zone. */
export function clock(at: string): string {
  const time = new Date(at);
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return `[${parts.map((part) => part.toString().padStart(2, '0')).join(':')}]`;
}

/** `2026-05-14T18:30:12Z`: to the second, in UTC. */
export function stamp(at: string): string {
  return at.replace(/\.\d+Z$/, 'Z');
}

/** `4s ago`, `3m ago`, `2h ago`, `5d ago`. */
export function ago(at: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1_000));
  if (seconds < 60) return `${seconds.toString()}s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60).toString()}m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600).toString()}h ago`;
  return `${Math.floor(seconds / 86_400).toString()}d ago`;
}

/** `$1.23`; empty for zero, `<$0.01` for less than a cent. */
export function money(usd: number): string {
  if (usd <= 0) return '';
  return usd < 0.005 ? '<$0.01' : `$${usd.toFixed(2)}`;
}
