import { invalid } from '../../base/errors.ts';

/** What an image is built for. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** As it was asked for. */
  readonly text: string;
}

/** `wasi/wasm`, `linux/amd64`, `linux/arm64/v8`, or an architecture that only one system has: `wasm`. @throws invalid */
export function platformOf(text: string): Platform {
  const [first = '', second] = text.toLowerCase().split('/');
  if (!/^[a-z0-9_-]+(\/[a-z0-9_-]+){0,2}$/.test(text.toLowerCase()))
    throw invalid(`"${text}" is an invalid platform: a system and an architecture are expected`, {
      hint: 'Write it like wasi/wasm or linux/amd64.',
    });
  const architecture = second ?? first;
  const isWasm = architecture === 'wasm' || architecture === 'wasm32';
  return { text, os: second === undefined ? 'wasi' : first, architecture: isWasm ? 'wasm' : architecture };
}

/** Any system of WebAssembly is as good as any other: modules say by their bytes what they are. */
export function runsAs(image: { readonly os: string; readonly architecture: string }, wanted: Platform): boolean {
  const isWasm = image.architecture === 'wasm' || image.architecture === 'wasm32';
  if (isWasm || wanted.architecture === 'wasm') return isWasm && wanted.architecture === 'wasm';
  return image.os === wanted.os && image.architecture === wanted.architecture;
}
