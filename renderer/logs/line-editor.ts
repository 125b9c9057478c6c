/**
 * Typing for a program without a TTY: nobody echoes, so the window does what a terminal in cooked mode does: shows what is typed, erases,
 * sends whole lines, and ends the input on ^D.
 */
export class LineEditor {
  #line = '';

  /** Takes what xterm reports as typed. `echo`: what to show. `send`: what the program gets; `end` when ^D came on an empty line. */
  type(data: string): { echo: string; send: string; end: boolean } {
    let echo = '';
    let send = '';
    let end = false;
    // Cursor keys and their like have no meaning on a line that can only grow and shrink at its end.
    for (const character of data.replace(/\x1b(\[[0-9;]*[A-Za-z~]|O[A-Z])/g, '')) {
      if (character === '\r' || character === '\n') {
        echo += '\r\n';
        send += `${this.#line}\n`;
        this.#line = '';
      } else if (character === '\x7f' || character === '\b') {
        const characters = [...this.#line];
        const last = characters.pop();
        if (last === undefined) continue;
        this.#line = characters.join('');
        const cells = (last.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
        echo += '\b \b'.repeat(cells);
      } else if (character === '\x15') {
        echo += '\b \b'.repeat([...this.#line].length);
        this.#line = '';
      } else if (character === '\x04') {
        if (this.#line === '') end = true;
        else {
          send += this.#line;
          this.#line = '';
        }
      } else if (character >= ' ' || character === '\t') {
        this.#line += character;
        echo += character;
      }
    }
    return { echo, send, end };
  }
}
