import { textTable } from '../io/measuring/text-table.ts';
import type { OffResult, OnResult, Verified } from '../programme-commands.ts';
import { bytesText, minute } from './ueip-values-text.ts';

export function onText({ kind, policyVersion, region, sinceMs }: OnResult): string {
  const since = kind === 'granted' ? 'on' : `was on already, since ${minute(sinceMs)},`;
  return [
    `${since} under policy ${policyVersion}; records may go to ${region}`,
    '`doorkeep ueip preview` shows what would be sent, `doorkeep ueip off` ends it',
  ].join('\n');
}

export function offText(result: OffResult): string {
  const { kind, records, sizeBytes, steps, receiptFile, search } = result;
  const failed = steps.filter((step) => step.result === 'failed' || step.result === 'busy');
  const told = kind === 'erased' ? 'off, and everything is erased' : 'off, but NOT all is erased';
  return [
    `${told}: ${records} records, ${bytesText(sizeBytes)}`,
    ...(failed.length === 0
      ? []
      : [
          textTable(
            failed.map(({ step, result, code }) => [`  ${step}`, result, code ?? '']),
            3,
          ),
        ]),
    result.guarantee,
    ...(search === null ? [] : [searchText(search)]),
    ...cloudText(result),
    receiptFile === null ? 'the receipt could not be stored' : `receipt: ${receiptFile}`,
  ].join('\n');
}

function searchText({ files, found }: NonNullable<OffResult['search']>): string {
  if (found.length === 0) return `searched ${files} raw files: nothing of it was found`;
  const places = found.map(({ file, count }) => `${file} (${count})`);
  return `searched ${files} raw files: FOUND in ${places.join(', ')}`;
}

function cloudText({ sentGoneByMs, ordersPending }: OffResult): string[] {
  if (sentGoneByMs === null) return [];
  const until = `what was sent is gone from the cloud by ${minute(sentGoneByMs)}`;
  return [ordersPending === 0 ? until : `${until}, sooner if it obeys the order to erase it`];
}

export function verifiedText({ ledgerEntries, ledgerHead, receipt }: Verified): string {
  const last = ledgerEntries === 0 ? '' : `, the last is ${ledgerHead}`;
  return [
    `the history is whole: ${ledgerEntries} entries${last}`,
    ...(receipt === null
      ? []
      : [`the receipt is of this device: erasure ${receipt.epoch}, ${minute(receipt.finishedMs)}`]),
  ].join('\n');
}
