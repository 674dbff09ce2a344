/**
 * Every outside thing as a small interface: types only. A comment on a method is its contract, and
 * the same contract suite (test/contracts) runs on every implementation.
 */
import type { Frame } from './vision/frame.ts';

// ---------------------------------------------------------------------------------------- time
export type Clock = {
  /** Milliseconds that never go back and know no date. Durations and freshness are made of these. */
  monotonicMs(): number;
  /** Milliseconds since 1970 by the device's clock, which may be wrong. */
  wallMs(): number;
};

// --------------------------------------------------------------------------------------- kernels
/** [a, b, c, d, e, f]: x' = a·x + b·y + c, y' = d·x + e·y + f. */
export type Affine = readonly [number, number, number, number, number, number];

/** A cut-out of a frame: interleaved RGB, 8 bit. The last type on the data's path that holds a pixel. */
export type Chip = { readonly width: number; readonly height: number; readonly data: Uint8Array };

/** How a model wants its pixels: tensor = (pixel − mean) / std, planes in `colour` order (NCHW). */
export type PixelSpec = {
  readonly colour: 'RGB' | 'BGR';
  /** In the model's own channel order. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
};

/**
 * The arithmetic of the hot path. The TypeScript one is the truth; the C ones (portable, AVX2, NEON)
 * equal it: bit for bit where the result is integers, to 1e-5 where it is floats.
 * Every method throws a TypeError on an argument of the wrong type, length or range.
 */
export type Kernels = {
  readonly name: 'typescript' | 'portable' | 'avx2' | 'neon';
  /**
   * Frame -> NCHW float tensor [1, 3, height, width] in one pass: colour conversion, shrink to fit
   * (never enlarged, aspect kept, picture at the top left, the rest 0 before mean and std), normalise.
   * Returns the scale: tensor coordinate = scale · frame coordinate.
   */
  letterbox(
    frame: Frame,
    spec: PixelSpec,
    width: number,
    height: number,
    tensor: Float32Array,
  ): number;
  /**
   * Chip pixel (x, y) = frame at `chipToFrame`·(x, y), bilinear, zeros outside the frame, rounded to 8 bit.
   * Pixel coordinates are those of pixel centres: (0, 0) is the centre of the first pixel.
   */
  warp(frame: Frame, chipToFrame: Affine, chip: Chip): void;
  /** Chip -> NCHW float tensor [1, 3, chip.height, chip.width]. */
  normalise(chip: Chip, spec: PixelSpec, tensor: Float32Array): void;
  /**
   * Keyed sign projection of UFC-1: y[i] = Σ_j ±q[j] where the sign is bit (i·d + j) of `signs`, least
   * significant bit first, 1 = plus. `signs` holds y.length · q.length bits.
   */
  project(signs: Uint8Array, q: Int8Array, y: Int32Array): void;
  /**
   * The k rows of `codes` (rows of probe.length bytes, one after the other, `count` of them) with the
   * fewest bits different from `probe`, nearest first, equal distances by lower row. Returns how many
   * rows were written to `rows` and `distances` (min(k, count), k = rows.length).
   */
  hammingTopK(
    codes: Uint8Array,
    count: number,
    probe: Uint8Array,
    rows: Uint32Array,
    distances: Uint32Array,
  ): number;
  /** The same for the largest dot products of float rows, best first. */
  dotTopK(
    vectors: Float32Array,
    count: number,
    probe: Float32Array,
    rows: Uint32Array,
    scores: Float32Array,
  ): number;
};

// ---------------------------------------------------------------------------------------- models
export type ModelTask = 'detection' | 'embedding' | 'pad' | 'quality';

/** A file as the maker of a model gives it out; `sha384` in hexadecimal. */
export type SourceFile = {
  readonly url: string;
  readonly sha384: string;
  readonly sizeBytes: number;
};

/** What is common to all entries of agent/models/manifest.json. */
type ModelEntryBase = {
  /** kebab-case; the name in the configuration. */
  readonly name: string;
  readonly file: string;
  /** Where `models pull` finds it; absent, as is `openvino`: it can only be imported. */
  readonly url?: string;
  /** Its maker gives it out as these two files instead: `models pull` makes `file` of them. */
  readonly openvino?: { readonly xml: SourceFile; readonly bin: SourceFile };
  /** True: one of those that `models pull recommended` brings. */
  readonly recommended?: boolean;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly licence: string;
  readonly source: string;
  /** Its file comes with doorkeep, in agent/models. */
  readonly builtin: boolean;
  readonly input: TensorSpec &
    PixelSpec & {
      readonly layout: 'NCHW' /** Height and width must be multiples of this where they are free. */;
      readonly multipleOf: number;
    };
  readonly outputs: readonly TensorSpec[];
};

/** A letter (or word) stands for a free dimension. */
export type TensorSpec = { readonly name: string; readonly shape: readonly (number | string)[] };

/** Five points in the model's own chip: eye at the left of the picture, eye at the right, nose tip, mouth left, mouth right. */
export type AlignmentSpec = {
  readonly size: number;
  readonly points: readonly (readonly [number, number])[];
};

export type DetectionEntry = ModelEntryBase & {
  readonly task: 'detection';
  readonly family: 'face-maps' | 'yunet';
  readonly strides: readonly number[];
};
export type EmbeddingEntry = ModelEntryBase & {
  readonly task: 'embedding';
  readonly family: 'embedding';
  readonly dimensions: number;
  readonly alignment: AlignmentSpec;
  /** Calibrated for the door (docs/benchmarks.md says on what): a template score at or above it may be a match. */
  readonly threshold: number;
  /** Least distance to the best other resident. */
  readonly margin: number;
};
export type PadEntry = ModelEntryBase & {
  readonly task: 'pad';
  readonly family: 'minifasnet';
  /** The window: the detector's box times this factor. */
  readonly cropFactor: number;
  /** Which of the softmax outputs is bona fide. */
  readonly bonaFideClass: number;
};
export type QualityEntry = ModelEntryBase & {
  readonly task: 'quality';
  readonly family: 'lightqnet';
  readonly alignment: AlignmentSpec;
  readonly threshold: number;
};
export type ModelEntry = DetectionEntry | EmbeddingEntry | PadEntry | QualityEntry;

export type ModelOutputs = Readonly<Record<string, Float32Array>>;

/** A verified model, loaded once for the life of the process. */
export type Model<E extends ModelEntry = ModelEntry> = {
  readonly entry: E;
  /** `shape` as NCHW. The outputs' memory belongs to the caller; the input may be reused after the promise settles. */
  run(input: Float32Array, shape: readonly [number, number, number, number]): Promise<ModelOutputs>;
  close(): Promise<void>;
};

// --------------------------------------------------------------------------------------- gallery
export type Resident = {
  readonly id: string;
  readonly label: string | null;
  readonly enrolledAt: number;
};

/** A template at rest: AES-256-GCM under a key that is not in the store, bound to device, row, version and model. */
export type SealedTemplate = {
  readonly rowId: string;
  readonly residentId: string;
  /** "glasses", "winter": what sets this picture apart; null if nothing was said. */
  readonly label: string | null;
  readonly modelSha256: string;
  readonly version: number;
  readonly sealed: Uint8Array;
  readonly createdAt: number;
};

/** Templates of one model and one version: made under one key, and compared with one another only. */
export type Generation = {
  readonly modelSha256: string;
  readonly version: number;
  readonly startedAt: number;
  /**
   * Of templates that came from another device: the key they were made under, sealed under the root key of
   * this one. Null: it is derived from the root key.
   */
  readonly wrappedKey: Uint8Array | null;
  /** On its way out. Null: new templates are made under it. */
  readonly retirement: Retirement | null;
  /** From then on it has no templates, and its version is never used again. */
  readonly endedAt: number | null;
};

/** How long the templates of an older generation are still compared with. */
export type Retirement = {
  readonly since: number;
  /** Null: until everybody has new templates, however long that takes. */
  readonly graceDays: number | null;
  /** Days on which the agent ran since then, and the last of them (days since 1970 by the device's clock). */
  readonly daysSeen: number;
  readonly lastDay: number;
};

/** What is left of an erased resident: a keyed digest of the id, so that no backup brings him or her back. */
export type Tombstone = { readonly digest: Uint8Array; readonly erasedAt: number };

/** How many templates a resident has under one generation. */
export type TemplateCount = {
  readonly residentId: string;
  readonly modelSha256: string;
  readonly version: number;
  readonly templates: number;
};

/** What a backup brings: generations that are new here, and residents who are. */
export type RestoredGallery = {
  readonly generations: readonly Generation[];
  readonly residents: readonly Resident[];
  readonly templates: readonly SealedTemplate[];
};

export type GalleryStore = {
  residents(): readonly Resident[];
  resident(id: string): Resident | undefined;
  templatesOf(residentId: string): readonly SealedTemplate[];
  /** Every template made by this model, of any version, in the order of enrolment. */
  templates(modelSha256: string): Iterable<SealedTemplate>;
  countTemplates(): readonly {
    readonly modelSha256: string;
    readonly version: number;
    readonly templates: number;
  }[];
  templateCounts(): readonly TemplateCount[];
  /** In the order of their beginning; those that have ended too. */
  generations(): readonly Generation[];
  /**
   * In one transaction: what `change` makes of them. None may be left out. The templates of those that it
   * ends are erased and overwritten on disk. What `change` reads from the store is as it is in that moment.
   */
  updateGenerations(change: (all: readonly Generation[]) => readonly Generation[]): void;
  /**
   * All or nothing. Adds the resident where there is none of that id yet, and the templates' generation
   * likewise; `addedAt` is the caller's wall clock. GENERATION_ENDED: one of them has ended.
   */
  enrol(
    resident: { readonly id: string; readonly label: string | null },
    templates: readonly SealedTemplate[],
    addedAt: number,
  ): void;
  /**
   * One more template for a resident who is there. False: nobody is there of that id, the generation has
   * ended, or is unknown; or it holds `most` of this resident already, or one made less than `apartMs` before or after.
   */
  addTemplate(
    template: SealedTemplate,
    limits: { readonly most: number; readonly apartMs: number },
  ): boolean;
  /** All or nothing. STORE_FAILED: a resident or a generation of these is here by now. */
  restore(restored: RestoredGallery): void;
  /**
   * The resident and every template, overwritten on disk, and the tombstone kept in the same transaction.
   * False: there was no such resident.
   */
  erase(residentId: string, tombstone?: Tombstone): boolean;
  tombstones(): readonly Tombstone[];
  /** Residents, templates and tombstones, overwritten on disk; every generation ends. Returns how many residents. */
  eraseAll(erasedAt: number): number;
  /**
   * Overwrites what erased rows may still have left in the files; erase() has tried it once. False: not now
   * (another process is reading the store, the disk is full); ask again later.
   */
  scrub(): boolean;
  /** Changes whenever any process has changed the store; cheap enough to ask before each decision. */
  revision(): number;
  close(): void;
};

// ---------------------------------------------------------------------------------------- frames
/**
 * Brings frames, newest first: a frame that was not taken when the next one came is dropped and counted.
 * `next` waits for a frame that was not handed out yet; undefined: the source has ended as it should.
 * A source that fails rejects with SOURCE_LOST. The frame's memory is the source's again at the next call.
 */
export type FrameSource = {
  readonly id: string;
  next(): Promise<Frame | undefined>;
  readonly dropped: number;
  close(): Promise<void>;
};

// ---------------------------------------------------------------------------- improvement programme
/** When a record was collected, by every clock there is: age is judged by whichever says more. */
export type Collected = {
  readonly wallMs: number;
  /** False: `wallMs` is only what the clock showed. */
  readonly clockTrusted: boolean;
  /**
   * The device's own count of days (ueip/run-days.ts): it goes on with the monotonic clock, survives restarts,
   * and only a wall clock that is believed corrects it.
   */
  readonly runDay: number;
};

/** A record on its way into the store: the bytes that will be sent, and what decides about them. */
export type NewRecord = {
  readonly epoch: number;
  readonly policyVersion: string;
  readonly collected: Collected;
  /** One line of JSON as ueip/record.ts made it, without the line feed. */
  readonly line: Uint8Array;
};

export type StoredRecord = NewRecord & {
  /** Grows with every record, never used again. */
  readonly id: number;
};

export type StoreCounts = {
  readonly records: number;
  /** Database and write-ahead log on the disk. */
  readonly sizeBytes: number;
  readonly oldestWallMs: number | null;
  /** Since the store was made: gave way to newer ones under the caps. */
  readonly evicted: number;
  /** Since the store was made: could not be opened, and were removed. */
  readonly unreadable: number;
};

/**
 * Records at rest, sealed under the key of their grant. Only one process has it open. What a method throws
 * is an AgentError of the STORE_ or KEY_ codes.
 */
export type RecordStore = {
  /** All or nothing, in one commit. Older records give way where the caps ask for it; returns how many did. */
  append(records: readonly NewRecord[]): { readonly evicted: number };
  /** In the order of collection, at most `most`. A record that cannot be opened is removed and counted. */
  oldest(most: number): readonly StoredRecord[];
  /** These are no longer needed; ids that are not there are no fault. Overwritten on disk. */
  forget(ids: readonly number[]): void;
  /** Removes records that `isExpired` says are too old; returns how many. */
  purge(isExpired: (collected: Collected) => boolean): number;
  counts(): StoreCounts;
  /** The count of days, with its fraction, kept with the records; 0 in a new store. */
  readonly runDays: { read(): number; write(days: number): void };
  close(): void;
};
