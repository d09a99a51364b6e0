import { toHex } from '../../../primitives/index.ts';
import type { Sent } from '../../../session/index.ts';
import type { Document } from '../../terminal/reporter.ts';

export function sentDocument({ to, id, n, envelope, opening }: Sent): Document {
  return { type: 'sent', to, id: toHex(id), n, bytes: envelope.length, opening };
}
