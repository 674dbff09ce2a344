import { md5Base64, sha256Hex } from '../../agent/io/files/digests.ts';
import { gzip } from '../../agent/io/files/gzip.ts';
import type { Kernels, StoredRecord } from '../../agent/ports.ts';
import { type Anonymised, type Anonymiser, createAnonymiser } from '../../agent/ueip/anonymise.ts';
import type { Moment, ToLocalTime } from '../../agent/ueip/attempt.ts';
import { batchLimits, sealBatch } from '../../agent/ueip/batch.ts';
import { type Builds, buildsOf } from '../../agent/ueip/builds.ts';
import { dayMs } from '../../agent/ueip/month.ts';
import type { RandomBytes } from '../../agent/ueip/random.ts';
import { type Covered, recordFrom, storable } from '../../agent/ueip/record.ts';
import { objectKeyOf } from '../../agent/upload/object-key.ts';
import type { Happened } from './door-day.ts';
import type { FacePool } from './face-pool.ts';
import { type Door, otherModels } from './fleet-plan.ts';

/** As it would lie in the bucket. */
export type NightObject = {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly plainBytes: number;
  readonly rows: number;
};

export type DeviceParts = {
  readonly door: Door;
  readonly covered: Covered;
  readonly pool: FacePool;
  readonly kernels: Kernels;
  readonly toLocalTime: ToLocalTime;
  readonly random: RandomBytes;
};

/**
 * Everything between the door's decision and the bytes that leave, made of the agent's own parts. Every method is
 * told the true time; what the device takes it for is its own affair.
 */
export function createSimulatedDevice(parts: DeviceParts) {
  const { door, covered, pool, kernels, toLocalTime, random } = parts;
  let agentVersion = door.agentVersion;
  let builds = buildsFor(door, agentVersion);
  let bootedMs = 0;
  let isClockTrusted = true;
  let anonymiser = started();
  let waiting: StoredRecord[] = [];
  let lastId = 0;

  function started(): Anonymiser {
    const { dimensions } = pool;
    return createAnonymiser({ mode: door.mode, dimensions, kernels, random, toLocalTime });
  }
  /** Without a battery the clock begins in 1970 until a time server has answered. */
  function moment(nowMs: number): Moment {
    const wallMs = isClockTrusted ? nowMs : nowMs - bootedMs;
    return { wallMs, monotonicMs: nowMs - bootedMs, clockTrusted: isClockTrusted };
  }
  function keep(released: readonly Anonymised[], nowMs: number): void {
    for (const each of released) {
      const record = recordFrom(each, builds, covered);
      waiting.push({ ...storable(record, nowMs / dayMs), id: ++lastId });
    }
  }
  function forget(ids: readonly number[]): void {
    const gone = new Set(ids);
    waiting = waiting.filter(({ id }) => !gone.has(id));
  }
  return {
    get agentVersion() {
      return agentVersion;
    },
    try({ face, reason, bestScore, overheadMs, stagesMs }: Happened, nowMs: number): void {
      const values = face && pool.look(face.who, face.look);
      anonymiser.record({
        at: moment(nowMs),
        embedding: values && { values, modelSha256: door.embeddingModel },
        result: reason === null ? 'success' : 'failure',
        reason,
        bestScore,
        overheadMs,
        stagesMs,
      });
    },
    release: (nowMs: number) => keep(anonymiser.release(moment(nowMs)), nowMs),
    /** Stops as it should, and starts with the new release. */
    update(nowMs: number): void {
      keep(anonymiser.flush(), nowMs);
      agentVersion = door.update?.to ?? agentVersion;
      builds = buildsFor(door, agentVersion);
      anonymiser = started();
    },
    /** What was in memory is gone. */
    cutPower(nowMs: number): void {
      anonymiser.end();
      anonymiser = started();
      bootedMs = nowMs;
      isClockTrusted = false;
    },
    findTime(): void {
      isClockTrusted = true;
    },
    upload(nowMs: number, sentWithinMs: number): NightObject[] {
      const objects: NightObject[] = [];
      const now = { wallMs: nowMs, clockTrusted: true, runDay: nowMs / dayMs };
      while (isClockTrusted) {
        const { batch, unsendable } = sealBatch(waiting, { now, sentWithinMs, ...sealing });
        const fault = unsendable.find(({ why }) => why !== 'expiring');
        if (fault) throw new TypeError(`a record cannot be sent: ${fault.why}`);
        // What a device finds too old to be sent, its next sweep deletes.
        forget(unsendable.map(({ id }) => id));
        if (!batch) break;
        const { bytes, plain, ids, ttlDays } = batch;
        const { consentId } = covered.grant;
        const key = objectKeyOf({ batchId: batch.id, consentId, ttlDays });
        objects.push({ key, bytes, plainBytes: plain.length, rows: ids.length });
        forget(ids);
      }
      return objects;
    },
  };
}

const sealing = { limits: batchLimits, compress: gzip, sha256: sha256Hex, md5: md5Base64 };

function buildsFor({ embeddingModel }: Door, agentVersion: string): Builds {
  const digest = (start: string) => start.padEnd(64, '0');
  const used = {
    agentVersion,
    detectionSha256: digest(otherModels.detection),
    embeddingSha256: digest(embeddingModel),
    padSha256: [digest(otherModels.pad)],
  };
  return buildsOf(used, sha256Hex);
}
