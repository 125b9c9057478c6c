/** How much of each direction of a socket waits on one side, sent or received, before the other is held back. */

/** Bytes, as long as there are few sockets. */
export const WINDOW = 1 << 18;
/** Bytes, however many there are; one datagram is let in all the same. */
const LEAST = 1 << 15;
/** Bytes of all sockets of a guest together: it must not fill the host with what no limit of its memory counts. */
const ALL = 128 << 20;

/** Bytes of one socket of so many. */
export const windowOf = (sockets: number): number =>
  sockets <= ALL / WINDOW ? WINDOW : Math.max(LEAST, Math.floor(ALL / sockets));

/** Room that was used is given back in pieces of this many bytes or more; two of them fit the smallest window. */
export const PIECE = LEAST / 2;

/** The room of the sockets of one guest. */
export class Room {
  #sockets = 0;

  get window(): number {
    return windowOf(this.#sockets);
  }

  /** A socket is there. */
  enter(): void {
    this.#sockets++;
  }

  /** It is gone. */
  leave(): void {
    this.#sockets--;
  }
}
