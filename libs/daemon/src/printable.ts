/** Names of interfaces, programs and services are others' choice, and may hold what a terminal would obey: that becomes a question mark. */
export const printable = (text: string): string => text.replaceAll(CONTROL, '?');

/** C0, DEL and C1; as a class of Unicode (\p{Cc}) it would load ICU, 2 MB. */
const CONTROL = /[^ -~\u00a0-\uffff]/g;
