/** "4/9" of the line with which a build begins a step; undefined for every other text. */
export const stepOf = (text: string): string | undefined => /^Step (\d+\/\d+) : /.exec(text)?.[1];
