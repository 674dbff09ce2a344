import { ttlPrefix } from '../../ueip/age-class.ts';
import type {
  BatchFacts,
  Call,
  CloudPort,
  DoneReport,
  ErasureFacts,
  LinkState,
  NoReply,
  Reply,
  TransportFault,
  UploadGrant,
} from '../../upload/cloud-port.ts';
import { crc64 } from '../../upload/crc64.ts';

/** What becomes of one request. Commits that are not answered are the hard ones. */
export type Fate =
  | 'fine'
  | { readonly fault: TransportFault }
  /** It arrives and is done, and the answer does not come. */
  | { readonly doneBut: TransportFault }
  | { readonly status: number; readonly code?: string; readonly headers?: Record<string, string> }
  | { readonly doneButStatus: number }
  /** Never answered, not even when it is given up. */
  | 'black-hole'
  | 'done-then-black-hole'
  | 'no-encryption'
  | 'wrong-checksum';

export type CloudStep = 'link' | 'grant' | 'put' | 'done' | 'erasure';

export type StoredObject = {
  readonly batchId: string;
  readonly consentId: string;
  readonly bytes: Uint8Array;
};

export type MemoryCloud = {
  readonly port: CloudPort;
  readonly objects: Map<string, StoredObject>;
  /** Every request that was begun, in order. */
  readonly steps: CloudStep[];
  /** How often an object was put where one was already; there the first one stays. */
  readonly refusedTwice: () => number;
  readonly dones: DoneReport[];
  readonly erasures: ErasureFacts[];
  link: LinkState;
  /** False: neither a date nor a serverTime. */
  datesItsAnswers: boolean;
  /** Changes what a grant says before it is given. */
  forge: (grant: UploadGrant) => UploadGrant;
  /** Bodies beyond this are refused with 413, by the bucket and, where it is asked first, by the cloud. */
  maxBytes: number;
  asksForSize: boolean;
  /** Whether it keeps books of what lies in its bucket, or says of everything that it is there. */
  knowsBatches: boolean | 'claims-all';
};

/**
 * A vendor's cloud and its bucket in memory, which keep the contract of CloudPort: a batch that lies there under
 * whatever key is 'already' there, a key is written once, and everything of a consent id can be erased.
 *
 * @param fate asked at every request
 * @param nowMs of the servers' clock
 */
export function createMemoryCloud(
  fate: (step: CloudStep) => Fate,
  nowMs: () => number,
): MemoryCloud {
  const objects = new Map<string, StoredObject>();
  const granted = new Map<string, BatchFacts>();
  let refusedTwice = 0;

  /** Lets one request meet its fate: `act` is what the other side does when it arrives. */
  async function request<T>(
    step: CloudStep,
    { signal, onRequest }: Call,
    { sizeBytes, objectKey = null }: { sizeBytes: number; objectKey?: string | null },
    act: () => T | Reply,
  ): Promise<T | Reply | NoReply> {
    cloud.steps.push(step);
    const meant = fate(step);
    // The request is on its way for a while: whoever withdraws now finds it in flight.
    await Promise.resolve();
    const tell = (status: number | null) =>
      onRequest({
        method: step === 'link' ? 'GET' : step === 'put' ? 'PUT' : 'POST',
        host: step === 'put' ? 'bucket.example' : 'cloud.example',
        objectKey,
        bodySha256: null,
        sizeBytes,
        status,
      });
    if (signal.aborted) {
      tell(null);
      return { kind: 'no-reply', fault: 'aborted' };
    }
    if (meant === 'black-hole') return new Promise(() => {});
    if (meant === 'done-then-black-hole') {
      act();
      return new Promise(() => {});
    }
    if (typeof meant === 'object' && 'fault' in meant) {
      tell(null);
      return { kind: 'no-reply', fault: meant.fault };
    }
    if (typeof meant === 'object' && 'status' in meant) {
      tell(meant.status);
      return reply(meant.status, meant.headers ?? {}, meant.code);
    }
    const done = act();
    await Promise.resolve();
    if (typeof meant === 'object' && 'doneBut' in meant) {
      tell(null);
      return { kind: 'no-reply', fault: meant.doneBut };
    }
    if (!isReply(done)) {
      tell(200);
      return done;
    }
    const answer = lied(done, meant);
    tell(answer.status);
    return answer;
  }

  function store(grant: UploadGrant, bytes: Uint8Array): Reply {
    const facts = granted.get(grant.url);
    if (facts === undefined || nowMs() > grant.expiresAtMs) return reply(403, {}, 'AccessDenied');
    if (bytes.length > cloud.maxBytes) return reply(413);
    if (objects.has(grant.objectKey)) {
      refusedTwice += 1;
      return reply(409, {}, 'FileAlreadyExists');
    }
    const { batchId, consentId } = facts;
    objects.set(grant.objectKey, { batchId, consentId, bytes: bytes.slice() });
    return reply(200, {
      'x-oss-server-side-encryption': 'KMS',
      'x-oss-hash-crc64ecma': crc64(bytes),
      etag: '"00"',
    });
  }

  function mint(batch: BatchFacts) {
    if (cloud.asksForSize && batch.sizeBytes > cloud.maxBytes) return reply(413);
    const lies = [...objects.values()].some(({ batchId }) => batchId === batch.batchId);
    if (cloud.knowsBatches === 'claims-all' || (lies && cloud.knowsBatches))
      return { kind: 'already' as const };
    const objectKey = `${ttlPrefix(batch.ttlDays)}ueip/00/${batch.consentId}/${batch.batchId}.jsonl.gz`;
    const serverMs = nowMs();
    const url = `https://bucket.example/${objectKey}?signature=${granted.size}`;
    granted.set(url, batch);
    const encryption = { 'x-oss-server-side-encryption': 'KMS' };
    const grant = cloud.forge({
      uploadId: `upload-${granted.size}`,
      url,
      headers: { ...encryption, 'content-md5': batch.md5 },
      objectKey,
      region: batch.region,
      expiresAtMs: serverMs + 900_000,
      expect: {
        status: [200],
        headers: encryption,
        checksum: { header: 'x-oss-hash-crc64ecma', algorithm: 'crc64ecma' },
      },
    });
    return { kind: 'granted' as const, grant, serverMs };
  }

  const cloud: MemoryCloud = {
    objects,
    steps: [],
    refusedTwice: () => refusedTwice,
    dones: [],
    erasures: [],
    link: {
      kind: 'linked',
      region: 'eu-central-1',
      accepting: true,
      maxBytes: 262_144,
      serverMs: null,
    },
    datesItsAnswers: true,
    forge: (grant) => grant,
    maxBytes: Number.POSITIVE_INFINITY,
    asksForSize: true,
    knowsBatches: true,
    port: {
      link: (call) =>
        request('link', call, { sizeBytes: 0 }, () =>
          cloud.link.kind === 'linked'
            ? {
                ...cloud.link,
                serverMs: cloud.datesItsAnswers ? (cloud.link.serverMs ?? nowMs()) : null,
              }
            : cloud.link,
        ),
      requestGrant: (batch, call) => request('grant', call, { sizeBytes: 300 }, () => mint(batch)),
      put: (grant, bytes, call) =>
        request<Reply>('put', call, { sizeBytes: bytes.length, objectKey: grant.objectKey }, () =>
          store(grant, bytes),
        ),
      done: (report, call) =>
        request<Reply>('done', call, { sizeBytes: 100 }, () => {
          cloud.dones.push(report);
          return reply(204);
        }),
      orderErasure: (order, call) =>
        request<Reply>('erasure', call, { sizeBytes: 100 }, () => {
          cloud.erasures.push(order);
          for (const [key, { consentId }] of objects) {
            if (consentId === order.consentId) objects.delete(key);
          }
          return reply(202);
        }),
    },
  };
  return cloud;
}

function isReply(answer: unknown): answer is Reply {
  return typeof answer === 'object' && answer !== null && 'status' in answer;
}

function lied(answer: Reply, fate: Fate): Reply {
  if (typeof fate === 'object' && 'doneButStatus' in fate) return reply(fate.doneButStatus);
  const { 'x-oss-server-side-encryption': _, ...plain } = answer.headers;
  if (fate === 'no-encryption') return { ...answer, headers: plain };
  if (fate !== 'wrong-checksum') return answer;
  return { ...answer, headers: { ...answer.headers, 'x-oss-hash-crc64ecma': '1' } };
}

function reply(status: number, headers: Record<string, string> = {}, code?: string): Reply {
  return { kind: 'reply', status, headers, code: code ?? null, message: null };
}
