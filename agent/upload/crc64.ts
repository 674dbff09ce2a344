/**
 * CRC-64/XZ (ECMA-182, reflected, polynomial 0xC96C5795D7870F42) in decimal, as object stores answer it. Two
 * halves of 32 bits: a BigInt for each byte would take a second for a full batch on the device.
 */
export function crc64(bytes: Uint8Array): string {
  let low = 0xffffffff;
  let high = 0xffffffff;
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (lowTable[index] ?? 0);
    high = (high >>> 8) ^ (highTable[index] ?? 0);
  }
  return ((BigInt(~high >>> 0) << 32n) | BigInt(~low >>> 0)).toString();
}

const polynomial = { high: 0xc96c5795, low: 0xd7870f42 };
const lowTable = new Int32Array(256);
const highTable = new Int32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let low = byte;
  let high = 0;
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = (low & 1) === 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (isOdd) {
      low ^= polynomial.low;
      high ^= polynomial.high;
    }
  }
  lowTable[byte] = low;
  highTable[byte] = high;
}
