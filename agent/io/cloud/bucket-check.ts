import { defaultEncryption, isVersioned, uncoveredClasses } from '../../upload/bucket-settings.ts';
import type { Call, LinkState, NoReply, Reply } from '../../upload/cloud-port.ts';
import { httpDateMs } from '../../upload/retry-after.ts';
import type { BucketPlace, BucketRequests } from './bucket-requests.ts';
import { storeReply } from './cloud-reply.ts';
import type { HttpAnswer } from './http-client.ts';

export type BucketFinding =
  | {
      readonly kind: 'fit';
      /** What it encrypts with unless told otherwise; null: the key of the service, or it was not asked. */
      readonly defaultKeyId: string | null;
      readonly serverMs: number | null;
    }
  | Extract<LinkState, { kind: 'unfit' }>
  | Reply
  | NoReply;

/**
 * Whether a bucket keeps what the notice promises, as far as it says so: it lies in the region that was signed for,
 * what is deleted there is gone, everything is deleted in time, and it encrypts under a key of its own, unless a key
 * is named with every object.
 */
export async function checkBucket(
  bucket: Pick<BucketRequests, 'send'>,
  { region, keyId }: Pick<BucketPlace, 'region'> & { readonly keyId: string | null },
  call: Call,
): Promise<BucketFinding> {
  const ask = async (name: string) => {
    const answer = await bucket.send({ method: 'GET', key: '', query: [[name, '']] }, call);
    if (answer.kind === 'answer' && isElsewhere(answer, region)) return unfit('other-region');
    return answer;
  };
  const versions = await ask('versioning');
  if (versions.kind !== 'answer') return versions;
  // A store that does not know versions keeps none.
  const isKept = versions.status === 501 ? false : documentIn(versions, isVersioned);
  if (isKept === undefined) return refused(versions, 'no-retention-rule');
  if (isKept) return unfit('no-retention-rule');

  const rules = await ask('lifecycle');
  if (rules.kind !== 'answer') return rules;
  if (hasNone(rules)) return unfit('no-retention-rule');
  const uncovered = documentIn(rules, uncoveredClasses);
  if (uncovered === undefined) return refused(rules, 'no-retention-rule');
  if (uncovered.length > 0) return unfit('no-retention-rule');
  const serverMs = httpDateMs(rules.headers['date']) ?? null;
  if (keyId !== null) return { kind: 'fit', defaultKeyId: null, serverMs };

  const preset = await ask('encryption');
  if (preset.kind !== 'answer') return preset;
  if (hasNone(preset)) return unfit('no-encryption');
  // Who does not know the question may still encrypt what names a key.
  if (preset.status === 405 || preset.status === 501) return unfit('encryption-unknown');
  const encryption = documentIn(preset, defaultEncryption);
  if (encryption === undefined) return refused(preset, 'encryption-unknown');
  if (encryption.kind !== 'kms') return unfit('no-encryption');
  return { kind: 'fit', defaultKeyId: encryption.keyId, serverMs };
}

function unfit(why: Extract<LinkState, { kind: 'unfit' }>['why']) {
  return { kind: 'unfit', why } as const;
}

/** Undefined: it is not what was asked for. */
function documentIn<T>(
  { status, body }: HttpAnswer,
  read: (document: string) => T | undefined,
): T | undefined {
  return status === 200 ? read(new TextDecoder().decode(body)) : undefined;
}

/**
 * An error as it came. Another document than was asked for says nothing of what it was asked about: some stores do
 * not know the question, and list their objects.
 */
function refused(answer: HttpAnswer, why: Parameters<typeof unfit>[0]): BucketFinding {
  return answer.status === 200 ? unfit(why) : storeReply(answer);
}

/** Each vendor has its own word for it, and of a bucket that is not there all have the same. */
function hasNone(answer: HttpAnswer): boolean {
  return answer.status === 404 && storeReply(answer).code !== 'NoSuchBucket';
}

/** S3 names the bucket's region; both refuse a signature that is made for another. */
function isElsewhere(answer: HttpAnswer, region: string): boolean {
  const named = answer.headers['x-amz-bucket-region'] ?? region;
  const isOtherScope =
    answer.headers['x-oss-ec'] === otherScope ||
    storeReply(answer).code === 'AuthorizationHeaderMalformed';
  return named !== region || isOtherScope;
}

/** OSS: the region in the signature is not the bucket's. */
const otherScope = '0002-00000223';
