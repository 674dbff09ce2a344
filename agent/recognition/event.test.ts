import { expectTypeOf, test } from 'vitest';
import type { Embedding, Template } from '../template/template.ts';
import type { RecognitionEvent } from './event.ts';

/** Every type found at any depth of T. */
type Inside<T> = T extends object ? T | { [K in keyof T]-?: Inside<T[K]> }[keyof T] : T;
type Found = Inside<RecognitionEvent>;

test('an event holds no pixel, no embedding and no template', () => {
  expectTypeOf<Extract<Found, ArrayBufferView | ArrayBufferLike>>().toBeNever();
  expectTypeOf<Extract<Found, Embedding | Template>>().toBeNever();
  // The question above finds what it looks for.
  expectTypeOf<Extract<Inside<{ a: { b: Float32Array } }>, ArrayBufferView>>().not.toBeNever();
});

test('a resident is named by a match and by nothing else', () => {
  type Named = Extract<RecognitionEvent, { residentId: unknown }>;
  expectTypeOf<Named['kind']>().toEqualTypeOf<'match'>();
});
