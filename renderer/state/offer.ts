/** What may be dropped on the window, judged before and after the drop. */

export const takes = (name: string): boolean => /\.wasm$/i.test(name);

/** What a drag holds, as far as a browser tells before the drop: names only once it has been dropped, types before. */
export type Offer = { readonly kind: 'run' } | { readonly kind: 'refuse' } | { readonly kind: 'unknown' };

/** Judges the items of a drag. Chromium gives the type of what hovers, not its name; .wasm is application/wasm, or '' where the system does not know it. */
export function judge(types: readonly { readonly kind: string; readonly type: string }[]): Offer {
  const files = types.filter((item) => item.kind === 'file');
  if (files.length === 0) return { kind: 'unknown' };
  if (files.some((file) => file.type === 'application/wasm' || file.type === '')) return { kind: 'run' };
  return { kind: 'refuse' };
}
