/** Waits until `probe` gives something other than undefined, null or false; looks every 20 ms. @throws after `limit` ms, naming `what`. */
export async function until<T>(what: string, probe: () => T | Promise<T>, limit = 30_000): Promise<NonNullable<T>> {
  const end = Date.now() + limit;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>;
    if (Date.now() > end) throw new Error(`waited ${limit} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
