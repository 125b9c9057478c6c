/** Says what bytes are when they are not WebAssembly: the error that people see after `docker run` of a Linux image. */
const elfMachines: Record<number, string> = {
  0x03: '386',
  0x28: 'arm',
  0x3e: 'amd64',
  0xb7: 'arm64',
  0xf3: 'riscv64',
  0x15: 'ppc64le',
  0x16: 's390x',
};

const starts = (bytes: Uint8Array, ...prefix: number[]): boolean => prefix.every((byte, i) => bytes[i] === byte);

const latin1 = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 160));

/**
 * A short name of what the bytes are: "ELF linux/amd64", "a script (#!/bin/sh)", "WebAssembly text (WAT)", "an empty file", …
 * Only the first 160 bytes are looked at.
 */
export function identify(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  if (starts(bytes, 0x7f, 0x45, 0x4c, 0x46)) {
    const little = bytes[5] !== 2;
    const machine = little ? (bytes[18] ?? 0) | ((bytes[19] ?? 0) << 8) : ((bytes[18] ?? 0) << 8) | (bytes[19] ?? 0);
    return `ELF linux/${elfMachines[machine] ?? `machine ${machine}`}`;
  }
  if (starts(bytes, 0x23, 0x21))
    return `a script (${
      latin1(bytes)
        .split(/[\r\n]/)[0]
        ?.slice(0, 60) ?? '#!'
    })`;
  if (starts(bytes, 0x4d, 0x5a)) return 'a Windows executable';
  if (starts(bytes, 0xcf, 0xfa, 0xed, 0xfe) || starts(bytes, 0xca, 0xfe, 0xba, 0xbe)) return 'a macOS executable';
  if (starts(bytes, 0x50, 0x4b, 0x03, 0x04)) return 'a zip archive';
  if (starts(bytes, 0x1f, 0x8b)) return 'a gzip file';
  if (starts(bytes, 0x28, 0xb5, 0x2f, 0xfd)) return 'a zstd file';
  if (starts(bytes, 0x42, 0x43, 0xc0, 0xde)) return 'LLVM bitcode';
  if (starts(bytes, 0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e)) return 'a static library (ar archive)';
  if (bytes.length < 8 && starts(bytes, ...[0x00, 0x61, 0x73, 0x6d].slice(0, bytes.length)))
    return `a WebAssembly header truncated at byte ${bytes.length}`;
  const text = latin1(bytes);
  if (/^\s*(;;[^\n]*\s*|\(;[\s\S]*?;\)\s*)*\((module|component)\b/.test(text)) return 'WebAssembly text (WAT)';
  if (/^\s*\{/.test(text)) return 'JSON text';
  if (/^\s*</.test(text)) return 'HTML or XML text';
  if (!/[\x00-\x08\x0e-\x1f]/.test(text)) return 'text';
  return 'unknown data';
}
