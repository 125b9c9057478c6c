/** Builds small modules by hand: for tests, and for the runner's rehearsal. */
const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]);
const sized = (payload: readonly number[]): number[] => [...leb(payload.length), ...payload];

/** A length-prefixed name. */
export const utf8 = (text: string): number[] => sized([...Buffer.from(text)]);

/** A function type. */
export const funcType = (params: readonly number[], results: readonly number[]): number[] => [
  0x60,
  ...sized(params),
  ...sized(results),
];

/** A section that holds a list of entries. */
export const section = (id: number, entries: readonly (readonly number[])[]): number[] => [
  id,
  ...sized([...leb(entries.length), ...entries.flat()]),
];

/** The four sections of a module with one empty function, exported. */
export const func = (name: string, body: readonly number[] = []): number[][] => [
  section(1, [funcType([], [])]),
  section(3, [[0]]),
  section(7, [[...utf8(name), 0, 0]]),
  section(10, [sized([0, ...body, 0x0b])]),
];

export const core = (...sections: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);

export const component = (...sections: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, ...sections.flat()]);
