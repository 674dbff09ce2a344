/** Field numbers and codes of onnx.proto (https://github.com/onnx/onnx), as far as they are used. */
export const modelFields = { irVersion: 1, graph: 7, opset: 8 } as const;
export const opsetFields = { domain: 1, version: 2 } as const;
export const graphFields = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
export const nodeFields = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7 } as const;
export const attributeFields = {
  name: 1,
  float: 2,
  whole: 3,
  tensor: 5,
  wholes: 8,
  type: 20,
} as const;
export const attributeTypes = { float: 1, whole: 2, tensor: 4, wholes: 7 } as const;
export const tensorFields = {
  shape: 1,
  type: 2,
  floats: 4,
  /** Codes of 16-bit floats, where they are not raw. */
  codes: 5,
  name: 8,
  raw: 9,
  location: 14,
} as const;
export const valueFields = { name: 1, type: 2 } as const;
export const typeFields = { tensor: 1 } as const;
export const tensorTypeFields = { element: 1, shape: 2 } as const;
export const shapeFields = { side: 1 } as const;
/** Of one side of a shape: a number, or the word of a free one. */
export const sideFields = { number: 1, word: 2 } as const;
export const tensorTypes = { float: 1, half: 10 } as const;
/** `location` of a tensor whose values lie in another file. */
export const externalLocation = 1;
