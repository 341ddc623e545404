// Limits of what callers may use: message rate, queued bytes, uploaded bytes.
import type { ObjectStore } from '../../drivers/objects/object-store.ts';
import { QueueAllowance } from './queued.ts';
import { MessageRates } from './rate.ts';
import { UploadAllowance } from './uploads.ts';

/** Limits of one agent, set by the owner of the host. */
export interface AllowanceLimits {
  readonly uploads_mb: number;
  readonly messages_per_second: number;
  readonly queued_mb: number;
}

export interface Allowances {
  readonly rates: MessageRates;
  readonly queued: QueueAllowance;
  readonly uploads: UploadAllowance;
}

/** Counts in this process: two servers on one store would count separately. */
export function createAllowances(limits: AllowanceLimits, objects: ObjectStore): Allowances {
  return {
    rates: new MessageRates(limits.messages_per_second),
    queued: new QueueAllowance(limits.queued_mb),
    uploads: new UploadAllowance(objects, limits.uploads_mb),
  };
}
