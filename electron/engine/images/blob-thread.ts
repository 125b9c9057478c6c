import { Worker } from 'node:worker_threads';

/** To the thread. `buffer` moves there and comes back. */
type Order =
  | { readonly id: number; readonly fd: number; readonly buffer: ArrayBuffer; readonly size: number }
  | { readonly id: number; readonly end: true };

/** From the thread: every piece comes back, whatever became of it, and the digest answers the end. */
interface Report {
  readonly id: number;
  readonly buffer?: ArrayBuffer;
  readonly digest?: string;
  readonly failure?: { readonly code: string; readonly message: string };
}

/** Bytes that move at a time. */
const pieceSize = 1 << 20;
/** Pieces of one blob that are on their way: enough that neither thread waits for the other when the machine is busy. */
const pieces = 16;
/** Milliseconds that an idle thread is kept. */
const idle = 3000;

/**
 * What the thread does: hashes and writes, in the order of arrival. It is turned into text and evaluated there, so that no bundle needs another entry: it may use nothing
 * from outside of itself.
 */
function threadMain(): void {
  const { parentPort } = process.getBuiltinModule('node:worker_threads');
  const { createHash } = process.getBuiltinModule('node:crypto');
  const { writeSync } = process.getBuiltinModule('node:fs');
  const blobs = new Map<number, { readonly hash: ReturnType<typeof createHash>; at: number; failed: boolean }>();
  parentPort?.on('message', (order: Order) => {
    const { id } = order;
    const blob = blobs.get(id) ?? { hash: createHash('sha256'), at: 0, failed: false };
    blobs.set(id, blob);
    if ('end' in order) {
      blobs.delete(id);
      parentPort.postMessage({ id, digest: `sha256:${blob.hash.digest('hex')}` } satisfies Report);
      return;
    }
    const { buffer, fd, size } = order;
    let report: Report = { id, buffer };
    if (!blob.failed) {
      try {
        const bytes = new Uint8Array(buffer, 0, size);
        blob.hash.update(bytes);
        for (let done = 0; done < size;) done += writeSync(fd, bytes, done, size - done, blob.at + done);
        blob.at += size;
      } catch (error) {
        const { code = '', message } = error as NodeJS.ErrnoException;
        blob.failed = true;
        report = { id, buffer, failure: { code, message } };
      }
    }
    parentPort.postMessage(report, [buffer]);
  });
}

/** One thread for all large blobs of this process: started by the first, ended some seconds after the last. */
class BlobThread {
  readonly #listeners = new Map<number, (report: Report) => void>();
  #worker: Worker | undefined;
  #ending: NodeJS.Timeout | undefined;
  #count = 0;

  /** Answers the number that the blob's orders carry. */
  open(listener: (report: Report) => void): number {
    clearTimeout(this.#ending);
    const id = ++this.#count;
    this.#listeners.set(id, listener);
    this.#worker?.ref();
    return id;
  }

  post(order: Order): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(order, 'buffer' in order ? [order.buffer] : []);
  }

  close(id: number): void {
    this.#listeners.delete(id);
    if (this.#listeners.size > 0) return;
    // Idle, it keeps nobody from ending.
    this.#worker?.unref();
    clearTimeout(this.#ending);
    this.#ending = setTimeout(() => {
      void this.#worker?.terminate();
      this.#worker = undefined;
    }, idle).unref();
  }

  #start(): Worker {
    const worker = new Worker(`(${threadMain.toString()})()`, { eval: true, name: 'blobs' });
    worker.on('message', (report: Report) => this.#listeners.get(report.id)?.(report));
    let why = 'the thread that writes blobs has ended';
    worker.on('error', (error: Error) => (why = error.message));
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const [id, listener] of this.#listeners) listener({ id, failure: { code: 'ENDED', message: why } });
    });
    return worker;
  }
}

const thread = new BlobThread();

/**
 * Writes a large blob to a file from its start and hashes it, both in a thread of their own: receiving, hashing and writing go on side by side, and the engine's
 * thread stays free. Bytes are copied on the way, so the caller keeps its own.
 */
export class BlobWriter {
  readonly #fd: number;
  readonly #id: number;
  #free: ArrayBuffer[] = [];
  #made = 0;
  #filling: Uint8Array | undefined;
  #filled = 0;
  #digest: string | undefined;
  #failure: NodeJS.ErrnoException | undefined;
  /** The thread is gone, and its pieces with it. */
  #isLost = false;
  #wake = (): void => undefined;

  constructor(fd: number) {
    this.#fd = fd;
    this.#id = thread.open(({ buffer, digest, failure }) => {
      if (buffer) this.#free.push(buffer);
      if (failure) this.#failure ??= Object.assign(new Error(failure.message), { code: failure.code });
      if (failure?.code === 'ENDED') this.#isLost = true;
      this.#digest ??= digest;
      this.#wake();
    });
  }

  /** Takes the bytes; waits when the disk does not keep up. @throws what the disk says */
  async add(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      this.#filling ??= await this.#buffer();
      const part = bytes.subarray(at, at + pieceSize - this.#filled);
      this.#filling.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === pieceSize) this.#flush();
    }
  }

  /** The digest, once everything is written. @throws what the disk says */
  async end(): Promise<string> {
    if (this.#filled > 0) this.#flush();
    thread.post({ id: this.#id, end: true });
    await this.#until(() => this.#digest !== undefined || this.#isLost);
    if (this.#failure) throw this.#failure;
    return this.#digest ?? '';
  }

  /** Waits until the thread has done with the file; afterwards it may be closed. To be called once, however it went. */
  async close(): Promise<void> {
    const kept = this.#filling ? 1 : 0;
    await this.#until(() => this.#free.length + kept === this.#made || this.#isLost);
    if (this.#digest === undefined && !this.#isLost) thread.post({ id: this.#id, end: true });
    thread.close(this.#id);
  }

  #flush(): void {
    if (!this.#filling) return;
    const buffer = this.#filling.buffer as ArrayBuffer;
    thread.post({ id: this.#id, fd: this.#fd, buffer, size: this.#filled });
    this.#filling = undefined;
    this.#filled = 0;
  }

  async #buffer(): Promise<Uint8Array> {
    if (this.#free.length === 0 && this.#made < pieces) {
      this.#made++;
      return new Uint8Array(pieceSize);
    }
    await this.#until(() => this.#free.length > 0 || this.#isLost);
    if (this.#failure) throw this.#failure;
    return new Uint8Array(this.#free.pop() as ArrayBuffer);
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
