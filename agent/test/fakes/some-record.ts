import { createHash } from 'node:crypto';
import type { NewRecord } from '../../ports.ts';

/**
 * A record as the door makes them, of day `runDay`; what chance decides in it is decided by `n`. The stage times
 * of a real door differ less.
 */
export function someRecord(n: number, runDay = 20_000 + n / 1000): NewRecord {
  const chance = createHash('sha256').update(`record ${n}`).digest();
  const hex = chance.toString('hex');
  const steps = (at: number, most: number) => ((chance[at] ?? 0) % most) * 10;
  const isSuccess = (chance[20] ?? 0) > 40;
  const wallMs = Math.floor(runDay * 24) * 3_600_000;
  const line = JSON.stringify({
    schema: 'ueip/1',
    kind: 'attempt',
    purpose: 'face-bugfix',
    policy_version: '2026-11',
    agent_version: '0.1.0',
    detection_model: '8f2383e4dd3c',
    embedding_model: '2b0f3a91c7de',
    pad_model: 'a1b2c3d4e5f6',
    hour: `${new Date(wallMs).toISOString().slice(0, 13)}:00+00:00`,
    clock_trusted: true,
    gap: ['<5 s', '5-15 s', '15-60 s', '>60 s'][(chance[21] ?? 0) % 4],
    code_epoch: createHash('sha256')
      .update(`${Math.floor(runDay)}`)
      .digest('hex')
      .slice(0, 16),
    code_version: 'ufc-t/24',
    code: hex.slice(0, 6),
    visitor: null,
    result: isSuccess ? 'success' : 'failure',
    reason: isSuccess ? null : 'no-match',
    overhead_ms: 200 + steps(0, 20),
    detect_ms: 20 + steps(1, 4),
    quality_ms: steps(2, 2),
    pad_ms: 30 + steps(3, 4),
    embed_ms: 80 + steps(4, 8),
    search_ms: steps(5, 2),
  });
  return {
    epoch: 1,
    policyVersion: '2026-11',
    collected: { wallMs, clockTrusted: true, runDay },
    line: new TextEncoder().encode(line),
  };
}

export function someRecords(count: number, first = 0): NewRecord[] {
  return Array.from({ length: count }, (_, n) => someRecord(first + n));
}
