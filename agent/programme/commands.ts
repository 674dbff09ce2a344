/** What people may ask of the programme (programme-commands.ts), carried out in the process that has it. */
import type { Actor } from '../consent/consent.ts';
import { AgentError } from '../errors.ts';
import { md5Base64, sha256Hex } from '../io/files/digests.ts';
import { gunzip, gzip } from '../io/files/gzip.ts';
import { layoutOf } from '../io/process/environment.ts';
import { readDeviceKey, verifySignature } from '../io/programme/device-key.ts';
import { parseReceipt } from '../io/programme/receipt-file.ts';
import type { ProgrammeCommands, Streamed, TrustResult, Write } from '../programme-commands.ts';
import { verifyReceipt } from '../rights/receipt.ts';
import { batchLimits, sealBatch } from '../ueip/batch.ts';
import { canonicalJson } from '../ueip/canonical-json.ts';
import type { WaitingBatch } from '../upload/pass.ts';
import { optIn } from './opting-in.ts';
import { optOut } from './opting-out.ts';
import type { ProgrammeParts } from './programme.ts';
import { statusOf } from './status.ts';

export function programmeCommands(parts: ProgrammeParts): ProgrammeCommands {
  return {
    on: (order) => optIn(parts, order),
    off: (order) => optOut(parts, order),
    status: async () => statusOf(parts),
    preview: ({ by, gzip: packed }, write) => preview(parts, by, packed, write),
    history: (write) => history(parts, write),
    export: ({ by }, write) => exportRecords(parts, by, write),
    trustStore: async () => trustStore(parts),
    verify: async ({ receipt }) => verify(parts, receipt),
  };
}

function trustStore({ memory, consent }: ProgrammeParts): TrustResult {
  const remembered = memory.upload.read();
  if (remembered.distrusted === null || !consent.mayKeep()) return { kind: 'nothing-held' };
  memory.upload.write({ ...remembered, distrusted: null, stopped: null });
  return { kind: 'trusted-again' };
}

/** What waits for its receipt goes first; else sealed as the uploader would seal it now. */
async function preview(
  parts: ProgrammeParts,
  by: Actor,
  packed: boolean,
  write: Write,
): Promise<Streamed> {
  const next = nextWaiting(parts) ?? sealedNow(parts);
  if (!next) return nothing;
  const bytes = packed ? next.bytes : gunzip(next.bytes);
  const streamed = { lines: next.ids.length, sizeBytes: bytes.length };
  parts.ledger.append([asked('previewed', by, streamed)]);
  await write(bytes);
  return streamed;
}

type Previewed = Pick<WaitingBatch, 'ids' | 'bytes'>;

function nextWaiting({ consent, outbox }: ProgrammeParts): Previewed | undefined {
  const covered = consent.coverage();
  if (covered.kind === 'not-covered') return undefined;
  return outbox.waiting().find(({ epoch }) => epoch === covered.epoch);
}

function sealedNow({ consent, records, time }: ProgrammeParts): Previewed | undefined {
  const covered = consent.coverage();
  const counts = records.counts();
  if (covered.kind === 'not-covered' || counts === null) return undefined;
  const sealing = {
    now: time.now(),
    sentWithinMs: 0,
    limits: batchLimits,
    compress: gzip,
    sha256: sha256Hex,
    md5: md5Base64,
  };
  // What cannot be sent any more stands first, being oldest.
  for (let most = previewRows; ; most *= 4) {
    const page = records
      .store()
      .oldest(most)
      .filter(({ epoch }) => epoch === covered.epoch);
    const { batch } = sealBatch(page, sealing);
    if (batch || most >= counts.records) return batch;
  }
}

async function history({ ledger }: ProgrammeParts, write: Write): Promise<Streamed> {
  const entries = ledger.entries();
  let sizeBytes = 0;
  for (const entry of entries) {
    const line = Buffer.from(`${canonicalJson(entry)}\n`);
    await write(line);
    sizeBytes += line.length;
  }
  return { lines: entries.length, sizeBytes };
}

/** It is a line in the history before the first byte is handed out. */
async function exportRecords(
  { records, ledger }: ProgrammeParts,
  by: Actor,
  write: Write,
): Promise<Streamed> {
  const found = records.counts();
  if (found === null) return nothing;
  const all = records.store().oldest(found.records);
  const sizeBytes = all.reduce((sum, { line }) => sum + line.length + 1, 0);
  const streamed = { lines: all.length, sizeBytes };
  ledger.append([asked('exported', by, streamed)]);
  try {
    for (const { line } of all) await write(Buffer.concat([line, lineFeed]));
  } finally {
    for (const { line } of all) line.fill(0);
  }
  return streamed;
}

function asked(what: 'previewed' | 'exported', by: Actor, { lines, sizeBytes }: Streamed) {
  return { what, actor: by.name, channel: by.channel, rows: lines, bytes: sizeBytes };
}

function verify(
  { ledger, place }: ProgrammeParts,
  text: string | null,
): Awaited<ReturnType<ProgrammeCommands['verify']>> {
  const finding = ledger.verify();
  if (finding.kind !== 'intact') {
    throw new AgentError(
      'LEDGER_BROKEN',
      `the history is not whole: ${finding.why}, line ${finding.line}`,
    );
  }
  const ledgerEntries = ledger.entries().length;
  const ledgerHead = ledger.head()?.hash ?? '';
  if (text === null) return { ledgerEntries, ledgerHead, receipt: null };
  const receipt = parseReceipt(text, 'the receipt');
  const own = readDeviceKey(layoutOf(place.dataDir).deviceKey)?.publicKey;
  const found = verifyReceipt(receipt, verifySignature, own);
  if (found.kind === 'invalid') {
    throw new AgentError('RECEIPT_INVALID', `the receipt: ${found.why}`);
  }
  const { epoch, finishedAt } = receipt;
  return { ledgerEntries, ledgerHead, receipt: { epoch, finishedMs: finishedAt.wallMs } };
}

const nothing: Streamed = { lines: 0, sizeBytes: 0 };
const lineFeed = Buffer.from('\n');
/** More than a batch holds. */
const previewRows = 8192;
