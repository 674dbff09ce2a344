import type { Instant } from '../consent/consent.ts';
import { canonicalJson } from '../ueip/canonical-json.ts';

/** What a withdrawal does, in the order in which it is done. */
export const erasureSteps = [
  'recording',
  'request',
  'key',
  'rows',
  'files',
  'ids',
  'volume',
] as const;
export type ErasureStep = (typeof erasureSteps)[number];

export const stepResults = ['done', 'nothing-there', 'busy', 'failed'] as const;

/** What a step says of itself. */
export type StepReport = {
  readonly result: (typeof stepResults)[number];
  /** Why not, or how: a code of errors.ts, or a word of the step's own. */
  readonly code?: string;
  /** Overwritten. */
  readonly bytes?: number;
  /** Records that were there. */
  readonly rows?: number;
};

export type DoneStep = Omit<StepReport, 'rows'> & {
  readonly step: ErasureStep;
  readonly elapsedMs: number;
  /** 2: the first try failed, and the steps after it may have made room. */
  readonly tries: number;
};

/** What overwriting a file means where the data lie. */
export const erasures = ['in-place', 'cryptographic-only', 'none'] as const;
export type FileSystemGuarantee = {
  /** 'ext4' */
  readonly type: string;
  readonly erasure: (typeof erasures)[number];
};

/** What a household is handed when it opts out. It holds no id that the cloud has known. */
export type Receipt = {
  readonly kind: 'ueip-erasure';
  readonly version: 1;
  readonly epoch: number;
  readonly decidedAt: Instant;
  readonly finishedAt: Instant;
  readonly rows: number;
  readonly bytes: number;
  readonly steps: readonly DoneStep[];
  readonly fileSystem: FileSystemGuarantee;
  /** Hash of the last entry of the ledger at that moment; null: it could not be read. */
  readonly ledgerHead: string | null;
  /** Ed25519, 32 bytes in hex; null, as the signature: the device has no key that can be used. */
  readonly publicKey: string | null;
  /** Of the canonical JSON of everything else, 64 bytes in hex. */
  readonly signature: string | null;
};

/** Ed25519; in hex. */
export type Signer = { readonly publicKey: string; sign(text: string): string };
export type VerifySignature = (publicKey: string, text: string, signature: string) => boolean;

export function signReceipt(
  content: Omit<Receipt, 'publicKey' | 'signature'>,
  signer: Signer | undefined,
): Receipt {
  const publicKey = signer?.publicKey ?? null;
  const signature = signer?.sign(canonicalJson({ ...content, publicKey })) ?? null;
  return { ...content, publicKey, signature };
}

/** One value, one text: this is how a receipt is stored, printed and hashed. */
export function receiptText(receipt: Receipt): string {
  return canonicalJson(receipt);
}

export type ReceiptFinding =
  /** 'unknown': it is whole, but whether this device signed it nobody can say without its key. */
  | { readonly kind: 'valid'; readonly signedBy: 'this-device' | 'unknown' }
  | { readonly kind: 'invalid'; readonly why: 'unsigned' | 'changed' | 'other-device' };

/** `devicePublicKey`: of this device, where it has one. */
export function verifyReceipt(
  receipt: Receipt,
  verify: VerifySignature,
  devicePublicKey: string | undefined,
): ReceiptFinding {
  const { signature, ...content } = receipt;
  if (signature === null || content.publicKey === null) return { kind: 'invalid', why: 'unsigned' };
  if (!verify(content.publicKey, canonicalJson(content), signature)) {
    return { kind: 'invalid', why: 'changed' };
  }
  if (devicePublicKey === undefined) return { kind: 'valid', signedBy: 'unknown' };
  return content.publicKey === devicePublicKey
    ? { kind: 'valid', signedBy: 'this-device' }
    : { kind: 'invalid', why: 'other-device' };
}
