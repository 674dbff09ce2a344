/**
 * The cloud as one night's pass sees it. Two adapters stand behind it: one asks the vendor's cloud for a
 * grant over mutual TLS, the other signs for a bucket itself. Neither judges anything: what came back is
 * told as it came, and upload/outcome.ts, grant.ts and stored-check.ts decide.
 *
 * No method rejects for anything that the network or the other side can do. Each ends within `signal`,
 * at once, and writes no byte afterwards; follows no redirect; sends no header that is not in the allow-list.
 */
export type CloudPort = {
  /**
   * May records come tonight? The host's word first: with no link, no socket is opened. Then the vendor's
   * cloud, or the bucket's own settings (that it deletes in time, and encrypts).
   */
  link(call: Call): Promise<LinkState | Reply | NoReply>;
  /**
   * Leave to store this batch, for minutes. A batch with `sentBefore` may lie there under an earlier key,
   * perhaps of another age class: then the answer is 'already' if it does (the cloud remembers
   * the batch's id; with only a bucket, the key is looked up), so that one batch is never two objects.
   */
  requestGrant(batch: BatchFacts, call: Call): Promise<GrantAnswer | Reply | NoReply>;
  /** Exactly the grant's headers and these bytes, in one piece, without the client's certificate. */
  put(grant: UploadGrant, bytes: Uint8Array, call: Call): Promise<Reply | NoReply>;
  /** Tells that the object is there. The same report twice does no harm. */
  done(report: DoneReport, call: Call): Promise<Reply | NoReply>;
  /** Orders the erasure of everything of a consent id. The same order twice does no harm. */
  orderErasure(order: ErasureFacts, call: Call): Promise<Reply | NoReply>;
};

export type Call = {
  readonly signal: AbortSignal;
  /** Told of every request that was begun, when it has ended in whatever way, even after `signal`. */
  onRequest(request: RequestFacts): void;
};

/** For the ledger. */
export type RequestFacts = {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  readonly host: string;
  readonly objectKey: string | null;
  /** In hex; null: it had no body. */
  readonly bodySha256: string | null;
  readonly sizeBytes: number;
  /** Null: no answer came. */
  readonly status: number | null;
};

/** An answer that brings nothing but itself. */
export type Reply = {
  readonly kind: 'reply';
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Headers;
  /** The store's `Code`, or the last part of the problem's `type`; null: none. */
  readonly code: string | null;
  /** The store's `Message`, at most 200 characters; looked through for one phrase, never shown or kept. */
  readonly message: string | null;
};
export type Headers = Readonly<Record<string, string>>;

export type NoReply = { readonly kind: 'no-reply'; readonly fault: TransportFault };

/** Why no answer came. 'aborted': because of `signal`. */
export const transportFaults = [
  'dns',
  'unreachable',
  'refused',
  'connect-timeout',
  'timeout',
  'reset',
  'certificate',
  'certificate-time',
  'oversized-reply',
  'unreadable-reply',
  'aborted',
] as const;
export type TransportFault = (typeof transportFaults)[number];

export type LinkState =
  /** By the host, or by the cloud: the data stay where they are. */
  | { readonly kind: 'not-linked' }
  /** Of a bucket, or a cloud that says so itself: it would not do what is promised. */
  | {
      readonly kind: 'unfit';
      readonly why: 'no-retention-rule' | 'no-encryption' | 'encryption-unknown' | 'other-region';
    }
  | {
      readonly kind: 'linked';
      readonly region: string;
      readonly accepting: boolean;
      /** Of one object. */
      readonly maxBytes: number;
      /** The moment of the answer by a server whose certificate was verified; null: it did not say. */
      readonly serverMs: number | null;
    };

/** What the other side has to know of a batch beforehand. */
export type BatchFacts = {
  readonly batchId: string;
  readonly sizeBytes: number;
  /** Base64, as the header Content-MD5 has it. */
  readonly md5: string;
  /** In hex. */
  readonly sha256: string;
  readonly rows: number;
  /** Of the oldest and the newest row, as coarse as the rows themselves. */
  readonly from: string;
  readonly to: string;
  /** Days that the bucket may keep it: the age class in its key. */
  readonly ttlDays: number;
  readonly consentId: string;
  readonly policyVersion: string;
  readonly region: string;
  /** A first byte of it may have left before. */
  readonly sentBefore: boolean;
};

export type GrantAnswer =
  | { readonly kind: 'already' }
  | {
      readonly kind: 'granted';
      readonly grant: UploadGrant;
      /** As in LinkState; of this answer. */
      readonly serverMs: number | null;
    };

/** Leave to put one body at one address, once minted nobody can change what it says. */
export type UploadGrant = {
  /** Null: nobody waits for a report (a bucket only). */
  readonly uploadId: string | null;
  readonly url: string;
  /** Exactly what has to be sent, names in small letters. */
  readonly headers: Headers;
  readonly objectKey: string;
  /** Null: the grant does not say, and the link's counts. */
  readonly region: string | null;
  /** By the clock of the server that minted it. */
  readonly expiresAtMs: number;
  readonly expect: ExpectedReply;
};

/** What the store will answer if it has done what was promised. */
export type ExpectedReply = {
  readonly status: readonly number[];
  readonly headers: Headers;
  readonly checksum: { readonly header: string; readonly algorithm: ChecksumAlgorithm };
};

/** crc64ecma: decimal. md5: hex, in quotes, or base64. sha256: hex or base64. */
export const checksumAlgorithms = ['crc64ecma', 'md5', 'sha256'] as const;
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

export type DoneReport = {
  readonly uploadId: string;
  /** Null: it was there already. */
  readonly status: number | null;
  readonly etag: string | null;
  readonly crc64: string;
  readonly storeRequestId: string | null;
};

export type ErasureFacts = {
  readonly erasureId: string;
  readonly consentId: string;
  readonly objectKeys: readonly string[];
  readonly requestedAtMs: number;
};
