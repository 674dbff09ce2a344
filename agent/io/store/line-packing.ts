import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { systemCode } from '../files/file-fault.ts';

/**
 * A line of a record in a quarter of its bytes: without it, a day of records costs the flash seven times
 * their size, overwriting included; with it, 2.6 times (scripts/bench/flash.ts). Each line alone, so
 * that each can be sealed, opened and forgotten alone. Deterministic.
 *
 * Returns the number of the dictionary, then raw DEFLATE (RFC 1951). The number is there for the day when
 * another dictionary packs better: rows made with this one are then still read, for the month they live.
 */
export function packLine(line: Uint8Array): Uint8Array {
  const packed = deflateRawSync(line, { ...smallStreams, dictionary });
  const result = new Uint8Array(1 + packed.length);
  result[0] = dictionaryNumber;
  result.set(packed, 1);
  return result;
}

/** Undefined: packed by a newer doorkeep, or not by packLine at all. */
export function unpackLine(packed: Uint8Array): Uint8Array | undefined {
  if (packed[0] !== dictionaryNumber) return undefined;
  try {
    const options = { ...smallStreams, dictionary, maxOutputLength: longestLineBytes };
    const line = inflateRawSync(packed.subarray(1), options);
    // Not the Buffer itself: its slice() would share memory where a Uint8Array's copies.
    return new Uint8Array(line.buffer, line.byteOffset, line.length);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/** No line of a record comes near: what unpacks to more was not a line. */
export const longestLineBytes = 16 * 1024;

/** 2 KiB back are enough for a line and the dictionary; the presets take 256 KiB of memory for each call. */
const smallStreams = { level: 9, windowBits: 11, memLevel: 3, chunkSize: 1024 };

const dictionaryNumber = 1;

/**
 * What lines have in common (ueip/fields.ts), the most common last, as DEFLATE likes it. Never change it:
 * add one with the next number, and keep this one for a month of releases.
 */
const dictionary = Buffer.from(
  [
    '"first_failures_0":0,"first_failures_1":0,"first_failures_2":0,"first_failures_3":0,',
    '"first_failures_4":0,"first_failures_5":0,"first_failures_6":0,"first_failures_7":0}',
    '"date":"202","failed_visitors":,"kind":"day",ufc-t/16false5-15 s15-60 s<5 s"camera-lost"',
    '"model-failed""stale""ambiguous""attack""low-quality""no-face""result":"failure","reason":"no-match"',
    '{"schema":"ueip/1","kind":"attempt","purpose":"face-bugfix","policy_version":"2026-11",',
    '"agent_version":"0.1.0","detection_model":"","embedding_model":"","pad_model":"","hour":"202-',
    'T:00+0:00","clock_trusted":true,"gap":">60 s","code_epoch":"","code_version":"ufc-t/24","code":"',
    '","visitor":null,"result":"success","reason":null,"overhead_ms":0,"detect_ms":0,"quality_ms":0,',
    '"pad_ms":0,"embed_ms":0,"search_ms":0}',
  ].join(''),
);
