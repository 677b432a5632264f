/** Longer than any name or address that is right. */
const MOST = 64;

/** A caller's text as an error quotes it: enough of it to know it again, and what to write instead is still read. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > MOST ? `${text.slice(0, MOST)}...` : text);
