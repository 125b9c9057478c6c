import { invalid } from '../../../base/errors.ts';

export type Variables = ReadonlyMap<string, string>;

/**
 * Docker's small shell: `$x`, `${x}`, `${x:-word}`, `${x:+word}`, `${x:?word}` and the same without the colon; single quotes keep everything,
 * double quotes keep blanks; the escape character keeps the next one. Unset variables are empty.
 * @throws invalid `failed to process "WORD": …`
 */
export function expandWord(word: string, variables: Variables, escape: string): string {
  return new Expander(word, variables, escape).run().join('');
}

/** The same, cut at blanks outside quotes, also those that a variable brings: EXPOSE. */
export function expandWords(word: string, variables: Variables, escape: string): string[] {
  return new Expander(word, variables, escape).run(true);
}

/** For a heredoc: variables only, quotes are text. */
export function expandText(text: string, variables: Variables, escape: string): string {
  return new Expander(text, variables, escape, true).run().join('');
}

class Expander {
  readonly #text: string;
  readonly #variables: Variables;
  readonly #escape: string;
  readonly #quotesAreText: boolean;
  #at = 0;

  constructor(text: string, variables: Variables, escape: string, quotesAreText = false) {
    this.#text = text;
    this.#variables = variables;
    this.#escape = escape;
    this.#quotesAreText = quotesAreText;
  }

  run(split = false): string[] {
    const words: string[] = [];
    let word = '';
    let open = false;
    const end = (): void => {
      if (open) words.push(word);
      word = '';
      open = false;
    };
    const cut = (text: string): void => {
      for (const [i, part] of text.split(/\s+/).entries()) {
        if (i > 0) end();
        if (part !== '') open = true;
        word += part;
      }
    };
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at);
      if (char === '$') {
        const value = this.#dollar();
        if (split) cut(value);
        else word += value;
      } else if (char === "'" && !this.#quotesAreText) {
        word += this.#single();
        open = true;
      } else if (char === '"' && !this.#quotesAreText) {
        word += this.#double();
        open = true;
      } else if (char === this.#escape) {
        this.#at++;
        const next = this.#text.charAt(this.#at);
        if (this.#quotesAreText && next !== '$' && next !== this.#escape) word += char;
        // An escape at the end stands for itself.
        word += next || char;
        open = true;
        this.#at++;
      } else if (split && /\s/.test(char)) {
        end();
        this.#at++;
      } else {
        word += char;
        open = true;
        this.#at++;
      }
    }
    if (!split) return [word];
    end();
    return words;
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw this.#bad('unexpected end of statement while looking for matching single-quote');
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return text;
  }

  #double(): string {
    let out = '';
    this.#at++;
    for (;;) {
      const char = this.#text.charAt(this.#at);
      if (char === '') throw this.#bad('unexpected end of statement while looking for matching double-quote');
      if (char === '"') {
        this.#at++;
        return out;
      }
      if (char === '$') {
        out += this.#dollar();
        continue;
      }
      this.#at++;
      if (char !== this.#escape) {
        out += char;
        continue;
      }
      const next = this.#text.charAt(this.#at);
      if (next === '') throw this.#bad('unexpected end of statement while looking for matching double-quote');
      // Before anything else the escape is an ordinary character.
      out += next === '"' || next === '$' || next === this.#escape ? next : char + next;
      this.#at++;
    }
  }

  #dollar(): string {
    this.#at++;
    if (this.#text.charAt(this.#at) !== '{') {
      const name = this.#name();
      return name === '' ? '$' : (this.#variables.get(name) ?? '');
    }
    this.#at++;
    const name = this.#name();
    if (name === '') throw this.#bad('syntax error: bad substitution');
    let operator = this.#text.charAt(this.#at);
    if (operator === '}') {
      this.#at++;
      return this.#variables.get(name) ?? '';
    }
    if (operator === '') throw this.#bad("syntax error: missing '}'");
    this.#at++;
    let value = this.#variables.get(name);
    if (operator === ':') {
      operator = this.#text.charAt(this.#at++);
      if (value === '') value = undefined;
    }
    if (!'+-?'.includes(operator) || operator === '')
      throw this.#bad(`unsupported modifier (${operator}) in substitution`);
    const word = this.#untilBrace();
    if (operator === '+') return value === undefined ? '' : word;
    if (value !== undefined) return value;
    if (operator === '-') return word;
    throw this.#bad(`${name}: ${word || 'not allowed to be unset'}`);
  }

  /** The word of a modifier, expanded, up to the brace that closes it. */
  #untilBrace(): string {
    let out = '';
    for (;;) {
      const char = this.#text.charAt(this.#at);
      if (char === '') throw this.#bad("syntax error: missing '}'");
      if (char === '}') {
        this.#at++;
        return out;
      }
      if (char === '$') out += this.#dollar();
      else if (char === "'" && !this.#quotesAreText) out += this.#single();
      else if (char === '"' && !this.#quotesAreText) out += this.#double();
      else if (char === this.#escape) {
        out += this.#text.charAt(this.#at + 1);
        this.#at += 2;
      } else {
        out += char;
        this.#at++;
      }
    }
  }

  #name(): string {
    const match = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?!$-])/.exec(this.#text.slice(this.#at));
    const name = match?.[0] ?? '';
    this.#at += name.length;
    return name;
  }

  #bad(message: string) {
    return invalid(`failed to process "${this.#text}": ${message}`);
  }
}
